import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HoldfastError } from "../../../src/base/errors.ts";
import { keepWorkload } from "../../../src/mover/manifests/keep-workload.ts";
import { type ManifestPlace, typesOfTree, walkTree } from "../../../src/mover/manifests/manifest-tree.ts";
import { readManifest } from "../../../src/mover/manifests/read-manifest.ts";

type Entry = {
  readonly path: readonly string[];
  readonly is: "file" | "folder" | "link";
  readonly text: string;
};

const names = [
  "deployments.apps",
  "configmaps",
  "serviceaccounts",
  "cluster",
  "namespaces",
  "shop",
  "web.yaml",
  "default.yaml",
  "system:a:b.yaml",
  ".yaml",
  "x.yaml~",
  "...",
  "-é😀",
  "a\nb.yaml",
  "n".repeat(255),
];
const metadata = '"metadata": {"name": "web", "namespace": "shop"}';
const pod = '"spec": {"template": {"spec": {"volumes": [null, {"configMap": 1}], "containers": "x"}}}';
const texts = [
  "",
  "null",
  "- a\n- b\n",
  "a: &a [*a]\n",
  "{",
  "\u0000",
  "a: 1\n---\nb: 2\n",
  `{"apiVersion": "apps/v1", "kind": "Deployment", ${metadata}, ${pod}}`,
  `{"apiVersion": "v1", "kind": "ServiceAccount", ${metadata}, "secrets": [{"name": 7}, null]}`,
  '{"apiVersion": 1, "kind": [], "metadata": "x"}',
  '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a/../b", "namespace": "shop"}}',
];
const anyName = fc.constantFrom(...names);
const place = fc.oneof(
  fc.array(anyName, { minLength: 1, maxLength: 5 }),
  fc
    .tuple(anyName, fc.constantFrom("namespaces", "cluster"), fc.constant("shop"), anyName)
    .map((path) => path as readonly string[]),
);
const entry: fc.Arbitrary<Entry> = fc.record({
  path: place,
  is: fc.constantFrom("file", "file", "file", "folder", "link"),
  text: fc.constantFrom(...texts),
});

const strange = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "outside": true}';

test("a link in the place of a folder leads nowhere, and a file there is passed over", async () => {
  const tree = mkdtempSync(join(tmpdir(), "holdfast-tree-"));
  try {
    const inside = { path: ["configmaps", "cluster", "web.yaml"], is: "file", text: strange } as const;
    put(tree, "", inside);
    put(tree, join(tree, "configmaps", "cluster"), { path: ["secrets", "cluster"], is: "link", text: "" });
    put(tree, join(tree, "configmaps"), { path: ["secrets", "namespaces"], is: "link", text: "" });
    put(tree, "", { path: ["pods", "namespaces"], is: "file", text: "" });
    const found: string[] = [];
    for await (const { file } of walkTree(tree)) found.push(file);
    expect(found).toEqual([join(tree, ...inside.path)]);
  } finally {
    rmSync(tree, { recursive: true });
  }
});

const runs = Math.max(100, Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) * 2);

test("a tree of any shape is read or refused by name, and nothing outside of it", {
  timeout: 20_000 + 100 * runs,
}, async () => {
  const outside = mkdtempSync(join(tmpdir(), "holdfast-outside-"));
  writeFileSync(join(outside, "web.yaml"), strange);
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
        const tree = mkdtempSync(join(tmpdir(), "holdfast-tree-"));
        try {
          for (const one of entries) put(tree, outside, one);
          await readAll(tree);
        } finally {
          rmSync(tree, { recursive: true });
        }
      }),
      { numRuns: runs, ...(runs > 100 ? {} : { seed: 5 }) },
    );
  } finally {
    rmSync(outside, { recursive: true });
  }
});

/** What cannot be put there, because something else is in the way, is left out. */
function put(tree: string, outside: string, { path, is, text }: Entry): void {
  const at = join(tree, ...path);
  try {
    mkdirSync(is === "folder" ? at : dirname(at), { recursive: true });
    if (is === "file") writeFileSync(at, text);
    if (is === "link") symlinkSync(outside, at);
  } catch {
    return;
  }
}

async function readAll(tree: string): Promise<void> {
  const places: ManifestPlace[] = [];
  for await (const one of walkTree(tree)) places.push(one);
  const types: string[] = [];
  for await (const { type } of typesOfTree(tree)) types.push(type);
  for (const one of places) {
    expect(types).toContain(one.type);
    await readOrRefuse(async () => {
      const object = await readManifest(one);
      expect(object["outside"]).toBeUndefined();
    });
  }
  const target = { apiGroup: "apps", kind: "Deployment", namespace: "shop", name: "web" };
  await readOrRefuse(async () => await keepWorkload(tree, target));
}

async function readOrRefuse(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || thrown.disposition === "bug") throw thrown;
  }
}
