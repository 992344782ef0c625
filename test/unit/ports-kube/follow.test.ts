import type { ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ConnectOptions } from "../../../src/ports/kube/connect-kube.ts";
import type { Change } from "../../../src/ports/kube/kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import {
  type Asked,
  configMaps,
  type Script,
  scriptedServer,
  sendJson,
  sendStatus,
} from "./scripted-server.ts";

const object = (name: string, resourceVersion: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "demo", resourceVersion },
});

const event = (type: string, name: string, version: string) =>
  `${JSON.stringify({ type, object: object(name, version) })}\n`;

/** One answer per watch, in order; the last one stays open. Lists answer `listed-<n>` at version `<n>00`. */
async function following(
  watches: readonly ((response: ServerResponse, asked: Asked) => void)[],
  options: ConnectOptions & { readonly list?: Script } = {},
) {
  const { list, ...connect } = options;
  let lists = 0;
  let watch = 0;
  const errors: unknown[] = [];
  const waits: number[] = [];
  const script: Script = async (asked, response) => {
    if (asked.query.get("watch") !== "true") {
      lists += 1;
      if (list !== undefined) return await list(asked, response, lists);
      const metadata = { resourceVersion: `${lists}00` };
      return sendJson(response, { metadata, items: [object(`listed-${lists}`, "1")] });
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    watches[watch]?.(response, asked);
    watch += 1;
  };
  const { kube, asked } = await scriptedServer(script, { clock: hurriedClock(waits), ...connect });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const onError = (error: unknown) => errors.push(error);
  const changes = kube.follow(configMaps, { namespace: "demo", signal: stop.signal, onError });
  const iterator = changes[Symbol.asyncIterator]();
  return {
    asked,
    errors,
    waits,
    stop,
    /** The next changes, as text. */
    take: async (count: number): Promise<string[]> => {
      const seen: string[] = [];
      while (seen.length < count) {
        const next = await iterator.next();
        if (next.done === true) break;
        seen.push(textOf(next.value));
      }
      return seen;
    },
  };
}

it("keeps every digit of a whole number of 64 bits", async () => {
  const line = event("ADDED", "a", "101").replace('"v1"', '"v1","limit":9007199254740993');
  const { kube } = await scriptedServer((asked, response) => {
    if (asked.query.get("watch") !== "true")
      return sendJson(response, { metadata: { resourceVersion: "100" }, items: [] });
    response.writeHead(200, { "content-type": "application/json" });
    return void response.write(line);
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  for await (const change of kube.follow(configMaps, { namespace: "demo", signal: stop.signal })) {
    if (change.kind !== "put") continue;
    expect(change.object["limit"]).toBe(9_007_199_254_740_993n);
    break;
  }
});

function textOf(change: Change): string {
  if (change.kind !== "listed") return `${change.kind} ${change.object.metadata.name}`;
  return change.items.map((item) => item.metadata.name).join(" ");
}

describe("following", () => {
  it("resumes from the last event, and from a bookmark", async () => {
    const { asked, take, errors } = await following([
      (response) => response.end(event("ADDED", "a", "101")),
      (response) => response.end(event("BOOKMARK", "", "150")),
      (response) => response.write(event("MODIFIED", "b", "151")),
    ]);
    expect(await take(3)).toEqual(["listed-1", "put a", "put b"]);
    const watches = asked.filter((one) => one.query.get("watch") === "true");
    expect(watches.map((one) => one.query.get("resourceVersion"))).toEqual(["100", "101", "150"]);
    expect(watches[0]?.query.get("allowWatchBookmarks")).toBe("true");
    expect(errors).toEqual([]);
  });

  it("reads events that come in pieces, many in one piece, and with letters cut in two", async () => {
    const text = event("ADDED", "a", "101") + event("ADDED", "b", "102") + event("DELETED", "ä€", "103");
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(Buffer.from("ä")) + 1;
    const { take } = await following([
      (response) => {
        response.write(bytes.subarray(0, 10));
        setTimeout(() => response.write(bytes.subarray(10, cut)), 10);
        setTimeout(() => response.write(bytes.subarray(cut)), 20);
      },
    ]);
    expect(await take(4)).toEqual(["listed-1", "put a", "put b", "gone ä€"]);
  });

  it.each([
    ["a line that is not JSON", "{half\n"],
    ["a line that is no event", "[]\n"],
    ["an event of an unknown type", event("RENAMED", "x", "105")],
    ["an object without a resourceVersion", '{"type":"ADDED","object":{"metadata":{"name":"x"}}}\n'],
    ["a stream that ends within a line", '{"type":"ADDED","obj'],
  ])("lists again after %s", async (_, text) => {
    const { take, errors } = await following([
      (response) => response.end(event("ADDED", "a", "101") + text),
      () => {},
    ]);
    expect(await take(3)).toEqual(["listed-1", "put a", "listed-2"]);
    expect(errors).toMatchObject([{ reason: "ApiServerAnswerInvalid" }]);
  });

  it("lists again after 410, without an alarm", async () => {
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    const expired = `${JSON.stringify({ type: "ERROR", object: status })}\n`;
    const { take, errors, waits } = await following([
      (response) => response.end(event("ADDED", "a", "101") + expired),
      () => {},
    ]);
    expect(await take(3)).toEqual(["listed-1", "put a", "listed-2"]);
    expect(errors).toEqual([]);
    expect(waits).toEqual([]);
  });

  it("does not storm a server that answers 410 to every watch", async () => {
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    const expired = `${JSON.stringify({ type: "ERROR", object: status })}\n`;
    const watches = Array.from({ length: 5 }, () => (response: ServerResponse) => void response.end(expired));
    const { take, waits, stop } = await following(watches);
    expect(await take(5)).toEqual(["listed-1", "listed-2", "listed-3", "listed-4", "listed-5"]);
    stop.abort();
    expect(waits.length).toBeGreaterThanOrEqual(4);
    for (const [n, wait] of waits.slice(0, 4).entries()) expect(wait).toBeGreaterThanOrEqual(500 * 2 ** n);
  });
});

describe("following through failures", () => {
  it("lists again when the connection breaks", async () => {
    const { take, errors } = await following([
      (response) => {
        response.write(event("ADDED", "a", "101"));
        setTimeout(() => response.destroy(), 20);
      },
      () => {},
    ]);
    expect(await take(3)).toEqual(["listed-1", "put a", "listed-2"]);
    expect(errors).toMatchObject([{ reason: "ApiServerUnreachable" }]);
  });

  it("reports a list that fails, and goes on trying with growing pauses", async () => {
    const list: Script = (_, response, count) => {
      if (count <= 3) return sendStatus(response, 403, "Forbidden");
      return sendJson(response, { metadata: { resourceVersion: "1" }, items: [object("at-last", "1")] });
    };
    const { take, errors, waits } = await following([() => {}], { list });
    expect(await take(1)).toEqual(["at-last"]);
    expect(errors).toMatchObject([{ code: 403 }, { code: 403 }, { code: 403 }]);
    expect(waits).toHaveLength(3);
    expect(waits[2]).toBeGreaterThanOrEqual(2_000);
  });

  it("does not storm a server that ends every watch at once", async () => {
    const watches = Array.from({ length: 4 }, () => (response: ServerResponse) => void response.end());
    const last = (response: ServerResponse) => void response.write(event("ADDED", "a", "101"));
    const { take, waits, errors } = await following([...watches, last]);
    expect(await take(2)).toEqual(["listed-1", "put a"]);
    expect(waits).toEqual([1_000, 1_000, 1_000, 1_000]);
    expect(errors).toEqual([]);
  });

  it("ends while it backs off", async () => {
    const list: Script = (_, response) => sendStatus(response, 403, "Forbidden");
    const { take, stop } = await following([], { list });
    const reading = take(1);
    setTimeout(() => stop.abort(), 50);
    expect(await reading).toEqual([]);
  });
});
