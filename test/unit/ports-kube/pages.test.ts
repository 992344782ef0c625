import { expect, it } from "vitest";
import type { ListOptions, ObjectName } from "../../../src/ports/kube/kube.ts";
import { configMaps, type Scripted, scriptedServer, sendJson } from "./scripted-server.ts";

const mebibyte = 1024 * 1024;

/** A server of ConfigMaps `n0`, `n1`, … of these sizes, which gives pages of whatever is asked for. */
async function serverOf(sizes: readonly number[]): Promise<Scripted> {
  return await scriptedServer((asked, response) => {
    const start = Number(asked.query.get("continue") ?? "0");
    const taken = sizes.slice(start, start + Number(asked.query.get("limit")));
    const whole = asked.headers.accept === "application/json";
    const items = taken.map((size, n) => ({
      metadata: { name: `n${start + n}`, namespace: "demo" },
      ...(whole ? { data: { a: "x".repeat(size) } } : {}),
    }));
    const next = start + items.length;
    const metadata = { resourceVersion: "9", ...(next < sizes.length ? { continue: String(next) } : {}) };
    sendJson(response, { kind: whole ? "ConfigMapList" : "PartialObjectMetadataList", metadata, items });
  });
}

async function namesOf({ kube }: Scripted, options: ListOptions = {}): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const page of kube.list(configMaps, options)) {
    for (const item of page.items) names.push(item.metadata.name);
  }
  return names;
}

const limitsOf = ({ asked }: Scripted) => asked.map((one) => Number(one.query.get("limit")));
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `n${n}`);

it("makes pages larger while objects are small, up to what the caller wants", async () => {
  const server = await serverOf(Array.from({ length: 1_300 }, () => 100));
  expect(await namesOf(server)).toEqual(numbered(1_300));
  expect(limitsOf(server)).toEqual([100, 400, 500, 500]);
  const few = await serverOf([1, 1, 1]);
  expect(await namesOf(few, { limit: 2 })).toEqual(numbered(3));
  expect(limitsOf(few)).toEqual([2, 2]);
});

it("aims at pages of four mebibytes, whatever the objects are like, and grows again", async () => {
  const large = Array.from({ length: 130 }, () => 128 * 1024);
  const server = await serverOf([...large, ...Array.from({ length: 600 }, () => 100)]);
  expect(await namesOf(server)).toEqual(numbered(730));
  const limits = limitsOf(server);
  expect(limits.slice(0, 2)).toEqual([100, 31]);
  expect(limits.at(-1)).toBeGreaterThan(200);
});

it("asks for fewer objects when a page is too large", async () => {
  const server = await serverOf(Array.from({ length: 12 }, () => 3 * mebibyte));
  expect(await namesOf(server)).toEqual(numbered(12));
  expect(limitsOf(server).slice(0, 4)).toEqual([100, 13, 2, 1]);
});

it("goes past an object that no page can hold, and tells whose it is", async () => {
  const server = await serverOf([10, 17 * mebibyte, 10, 10]);
  const left: ObjectName[] = [];
  expect(await namesOf(server, { onTooLarge: (name) => left.push(name) })).toEqual(["n0", "n2", "n3"]);
  expect(left).toMatchObject([{ namespace: "demo", name: "n1" }]);
  await expect(namesOf(server)).rejects.toMatchObject({ reason: "ApiServerAnswerTooLarge" });
});

it("goes on where it is told to", async () => {
  const server = await serverOf([10, 10, 10]);
  expect(await namesOf(server, { continueToken: "1" })).toEqual(["n1", "n2"]);
});

it("offers the token with which an expired list can go on", async () => {
  const { kube } = await scriptedServer((_, response) =>
    sendJson(
      response,
      { kind: "Status", code: 410, reason: "Expired", metadata: { continue: "later" } },
      410,
    ),
  );
  const error = await kube
    .list(configMaps)
    [Symbol.asyncIterator]()
    .next()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 410, reason: "Expired", continueToken: "later" });
});
