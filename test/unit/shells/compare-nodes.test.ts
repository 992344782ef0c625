import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResticNode } from "../../../src/ports/restic/restic.ts";
import {
  type ChangeTotals,
  type ComponentChange,
  changesWriter,
} from "../../../src/shells/cli/changes-writer.ts";
import { compareNodes, comparePaths, type NodeChange } from "../../../src/shells/cli/compare-nodes.ts";

type Node = Partial<ResticNode> & { readonly path: string };

function nodes(...given: readonly Node[]): AsyncIterable<ResticNode> {
  return listed(given.map((one) => ({ type: "file", sizeBytes: 1, modifiedAt: "then", ...one })));
}

async function* listed<T>(items: readonly T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

async function all(changes: AsyncIterable<NodeChange>): Promise<readonly NodeChange[]> {
  const found: NodeChange[] = [];
  for await (const one of changes) found.push(one);
  return found;
}

test("what is in one list only is added or removed, and size, type or time make a change", async () => {
  const before = nodes(
    { path: "/d", type: "dir" },
    { path: "/d/gone", sizeBytes: 5 },
    { path: "/d/later" },
    { path: "/d/link" },
    { path: "/d/longer" },
    { path: "/d/same" },
  );
  const after = nodes(
    { path: "/d", type: "dir", modifiedAt: "now" },
    { path: "/d/later", modifiedAt: "now" },
    { path: "/d/link", type: "symlink" },
    { path: "/d/longer", sizeBytes: 2 },
    { path: "/d/new", type: "dir" },
    { path: "/d/new/file", sizeBytes: 7 },
    { path: "/d/same" },
  );
  expect(await all(compareNodes({ before, after }))).toEqual([
    { change: "removed", path: "/d/gone", type: "file", before: 5 },
    { change: "changed", path: "/d/later", type: "file", before: 1, after: 1 },
    { change: "changed", path: "/d/link", type: "symlink", before: 1 },
    { change: "changed", path: "/d/longer", type: "file", before: 1, after: 2 },
    { change: "added", path: "/d/new", type: "dir" },
    { change: "added", path: "/d/new/file", type: "file", after: 7 },
  ]);
});

test("where contents of files are known, they alone decide", async () => {
  const before = nodes({ path: "/a" }, { path: "/b" });
  const after = nodes({ path: "/a", modifiedAt: "now" }, { path: "/b" });
  expect(await all(compareNodes({ before, after, changed: listed(["/b"]) }))).toEqual([
    { change: "changed", path: "/b", type: "file", before: 1, after: 1 },
  ]);
});

test("a link that was made again is told although contents say nothing of it, a folder is not", async () => {
  const before = nodes(
    { path: "/d", type: "dir" },
    { path: "/l", type: "symlink" },
    { path: "/m", type: "symlink" },
  );
  const after = nodes(
    { path: "/d", type: "dir", modifiedAt: "now" },
    { path: "/l", type: "symlink", modifiedAt: "now" },
    { path: "/m", type: "symlink" },
  );
  expect(await all(compareNodes({ before, after, changed: listed([]) }))).toEqual([
    { change: "changed", path: "/l", type: "symlink" },
  ]);
});

test("paths are in the order in which restic walks: folders first, names by their bytes", () => {
  const walked = ["/a", "/a/z", "/a-b", "/a.txt", "/a/"].slice(0, 4);
  expect([...walked].sort(comparePaths)).toEqual(walked);
  expect(comparePaths("/\uffee", "/\u{1f4be}")).toBeLessThan(0);
});

const name = fc.string({
  unit: fc.constantFrom("a", "b", ".", "-", "\uffee", "\u{1f4be}"),
  minLength: 1,
  maxLength: 3,
});
const tree = fc.uniqueArray(
  fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`),
);

test("whatever the two trees, each path is told once and rightly", async () => {
  await fc.assert(
    fc.asyncProperty(tree, tree, async (first, second) => {
      const bytes = (path: string) => path.split("/").map((part) => Buffer.from(part).toString("hex"));
      const walk = (paths: readonly string[]) =>
        [...paths].sort((a, b) => (bytes(a).join("/") < bytes(b).join("/") ? -1 : 1));
      const changes = await all(
        compareNodes({
          before: nodes(...walk(first).map((path) => ({ path }))),
          after: nodes(...walk(second).map((path) => ({ path }))),
        }),
      );
      const expected = [...new Set([...first, ...second])]
        .filter((path) => first.includes(path) !== second.includes(path))
        .map((path) => `${first.includes(path) ? "removed" : "added"} ${path}`);
      expect(changes.map(({ change, path }) => `${change} ${path}`).sort()).toEqual(expected.sort());
    }),
    { numRuns: 200 },
  );
});

test("a list that is not in order is an error, not a wrong answer", async () => {
  const changes = compareNodes({ before: nodes({ path: "/b" }, { path: "/a" }), after: nodes() });
  await expect(all(changes)).rejects.toMatchObject({ reason: "NotComparable" });
});

test("an output that stops early ends what reads the lists", async () => {
  let closed = 0;
  async function* endless(): AsyncGenerator<ResticNode, void, void> {
    try {
      for (let at = 0; ; at += 1)
        yield { path: `/${String(at).padStart(9, "0")}`, type: "file", sizeBytes: 0, modifiedAt: "" };
    } finally {
      closed += 1;
    }
  }
  for await (const _change of compareNodes({ before: endless(), after: nodes({ path: "/x" }) })) break;
  expect(closed).toBe(1);
});

const changes = [
  { component: "dump", change: "added", path: "/data/a|b\u001b", type: "file", after: 2048 },
  { component: "dump", change: "changed", path: "/data/c", type: "file", before: 1, after: 2 },
  { component: "dump", change: "removed", path: "/data/d", type: "dir" },
] as const;
const totals = {
  added: { files: 1, bytes: 2048 },
  removed: { files: 0, bytes: 0 },
  changed: { files: 1, bytesBefore: 1, bytesAfter: 2 },
};

async function written(
  format: "text" | "json" | "yaml" | "markdown",
  given: readonly ComponentChange[],
  sums: ChangeTotals = totals,
) {
  let text = "";
  const writer = changesWriter(format, async (piece) => {
    text += piece;
  });
  await writer.begin("shop/one", "shop/two");
  for (const one of given) await writer.change(one);
  await writer.end(sums);
  return text;
}

test("text names each change on one line, and the sums", async () => {
  expect(await written("text", changes)).toBe(
    [
      "shop/one -> shop/two",
      "dump:",
      "  + /data/a|b\\u001b  2.000 KiB",
      "  M /data/c  1 B -> 2 B",
      "  - /data/d/",
      "1 files added (2.000 KiB), 0 removed (0 B), 1 changed (1 B -> 2 B)",
      "",
    ].join("\n"),
  );
});

test("nothing, and no file but something else, are different answers", async () => {
  const sums = { ...totals, added: totals.removed, changed: { files: 0, bytesBefore: 0, bytesAfter: 0 } };
  const links = [{ component: "dump", change: "changed", path: "/data/l", type: "symlink" }] as const;
  for (const format of ["text", "markdown"] as const) {
    expect(await written(format, [], sums)).toMatch(/\nNothing differs\.\n$/);
    expect(await written(format, links, sums)).toMatch(
      /\nNo file differs; folders, links or devices do\.\n$/,
    );
  }
});

test("JSON and YAML say the same, also when nothing differs", async () => {
  const { load } = await import("js-yaml");
  for (const given of [changes, [] as const]) {
    const value = { from: "shop/one", to: "shop/two", changes: given, totals };
    expect(JSON.parse(await written("json", given))).toEqual(value);
    expect(load(await written("yaml", given))).toEqual(value);
  }
});

test("a name does nothing in markdown", async () => {
  expect(await written("markdown", changes)).toContain(
    String.raw`| added | dump | /data/a\|b\\u001b | 2.000 KiB |`,
  );
});
