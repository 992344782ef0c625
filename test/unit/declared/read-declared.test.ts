import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HoldfastError } from "../../../src/base/errors.ts";
import type { Declared } from "../../../src/pass/declared/declared.ts";
import { limits } from "../../../src/pass/declared/limits.ts";
import { readDeclared } from "../../../src/pass/declared/read-declared.ts";
import { commit, memoryRemote } from "./memory-remote.ts";

const request = { branch: "main", cluster: "prod" };
const settings = { "holdfast.yaml": "clusters:\n  prod:\n    path: clusters/prod\n" };
type Files = Parameters<typeof memoryRemote>[0];

function read(files: Files): Promise<Declared> {
  const below = Object.entries(files).map(([path, content]) => [`clusters/prod/${path}`, content] as const);
  const remote = memoryRemote({ ...settings, ...Object.fromEntries(below) });
  return readDeclared(remote, request, AbortSignal.timeout(10_000));
}

const retention = (name: string, keep = 3) =>
  `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata:\n  name: ${name}\n  namespace: demo\nspec:\n  successfulSnapshots:\n    last: ${keep}\n`;

const told = (declared: Declared) =>
  declared.problems.map(
    ({ place, severity, reason }) => `${severity} ${reason} ${place?.path.slice(14)}:${place?.line}`,
  );
const names = (declared: Declared) => declared.documents.map(({ object }) => object.metadata.name);

test("a commit that has not moved is not read again", async () => {
  const remote = memoryRemote({ ...settings, "clusters/prod/a.yaml": retention("a") });
  const signal = AbortSignal.timeout(10_000);
  const previous = await readDeclared(remote, request, signal);
  const asked = remote.requests.length;
  expect(await readDeclared(remote, { ...request, previous }, signal)).toBe(previous);
  expect(remote.requests).toHaveLength(asked);
});

describe("documents", () => {
  test("are found in every YAML and JSON file below the folder, sorted by identity", async () => {
    const declared = await read({
      "z/deep/er.yml": retention("c"),
      "a.yaml": `${retention("d")}---\n${retention("b")}`,
      "j.json": JSON.stringify({
        apiVersion: "addons.kubestash.com/v1alpha1",
        kind: "Function",
        metadata: { name: "f" },
        spec: { image: "ghcr.io/x/y:1" },
      }),
      "README.md": "# none",
    });
    expect(names(declared)).toEqual(["f", "b", "c", "d"]);
    expect(declared).toMatchObject({
      problems: [],
      complete: true,
      others: {},
      revision: { branch: "main", commit },
    });
    expect(declared.settings.path).toBe("clusters/prod");
    const [, b] = declared.documents;
    expect(b).toMatchObject({ path: "clusters/prod/a.yaml", line: 10 });
    expect(b?.placeOf(["spec", "successfulSnapshots", "last"])).toEqual({
      path: "clusters/prod/a.yaml",
      line: 17,
    });
  });

  test("files beside the cluster's folder are not read", async () => {
    const remote = memoryRemote({
      ...settings,
      "clusters/prod/a.yaml": retention("a"),
      "clusters/production/b.yaml": retention("b"),
      "c.yaml": ": [",
    });
    expect(names(await readDeclared(remote, request, AbortSignal.timeout(5000)))).toEqual(["a"]);
  });

  test("lists are flattened, each item with its own line", async () => {
    const items = retention("a")
      .replace(/^(?=.)/gm, "    ")
      .replace("    ", "  - ");
    const declared = await read({ "list.yaml": `apiVersion: v1\nkind: List\nitems:\n${items}` });
    expect(declared.documents.map(({ line, object }) => [line, object.metadata.name])).toEqual([[4, "a"]]);
  });

  test("other kinds are counted and left alone", async () => {
    const declared = await read({
      "kustomization.yaml": "resources: [a.yaml]\n",
      "all.yaml":
        "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: apps/v1\nkind: Deployment\n---\napiVersion: v1\nkind: ConfigMap\n---\n- 1\n",
      "a.yaml": retention("a"),
    });
    expect(declared.others).toEqual({ "(no kind)": 2, ConfigMap: 2, Deployment: 1 });
    expect(declared).toMatchObject({ problems: [], complete: true });
  });

  test("the record's folder is no declaration", async () => {
    const remote = memoryRemote({
      "holdfast.yaml": "clusters: {prod: {path: .}}\nrecord: {folder: record}\n",
      "a.yaml": retention("a"),
      "record/clusters/prod/a.yaml": retention("a"),
    });
    const declared = await readDeclared(remote, request, AbortSignal.timeout(5000));
    expect(declared).toMatchObject({ problems: [], complete: true });
    expect(names(declared)).toEqual(["a"]);
  });
});

describe("a digest", () => {
  test("spelling, files and order do not change the digest; content does", async () => {
    const json = (name: string) =>
      JSON.stringify({
        spec: { successfulSnapshots: { last: 3 } },
        metadata: { namespace: "demo", name },
        kind: "RetentionPolicy",
        apiVersion: "storage.kubestash.com/v1alpha1",
      });
    const one = await read({ "a.yaml": `${retention("a")}---\n${retention("b")}` });
    const two = await read({ "x.json": json("b"), "y.json": json("a") });
    expect(two.digest).toBe(one.digest);
    expect((await read({ "a.yaml": `${retention("a", 4)}---\n${retention("b")}` })).digest).not.toBe(
      one.digest,
    );
  });

  test("any split over files in any order means the same", async () => {
    const all = ["a", "b", "c", "d", "e"].map((name) => retention(name));
    const expected = (await read({ "all.yaml": all.join("---\n") })).digest;
    const shuffled = fc.shuffledSubarray(all, { minLength: all.length });
    await fc.assert(
      fc.asyncProperty(shuffled, fc.integer({ min: 0, max: 5 }), async (order, cut) => {
        const files = {
          "1.yaml": order.slice(0, cut).join("---\n"),
          "0/2.yaml": order.slice(cut).join("---\n"),
        };
        return (await read(files)).digest === expected;
      }),
      { numRuns: 50 },
    );
  });
});

describe("one broken thing never stops the others, and stops pruning", () => {
  test.each<[string, Files, string]>([
    ["a syntax error", { "x.yaml": "a: [\nb: c\n" }, "error Unreadable x.yaml:2"],
    ["a file over a MiB", { "x.yaml": `a: ${"x".repeat(limits.fileBytes)}` }, "error Unreadable x.yaml:1"],
    ["a symlink", { "x.yaml": { type: "symlink" } }, "error Unreadable x.yaml:1"],
    ["a submodule", { x: { type: "submodule" } }, "error Unreadable x:1"],
    [
      "a kind with a typing mistake",
      { "x.yaml": retention("x").replace("RetentionPolicy", "RetentionPolciy") },
      "error UnknownKind x.yaml:1",
    ],
    [
      "a group with a typing mistake",
      { "x.yaml": retention("x").replace("kubestash", "kubstash") },
      "error UnknownKind x.yaml:1",
    ],
    [
      "a version that is not there",
      { "x.yaml": retention("x").replace("v1alpha1", "v1") },
      "error UnknownKind x.yaml:1",
    ],
    [
      "a kind of ours without apiVersion",
      { "x.yaml": retention("x").replace(/^.*\n/, "") },
      "error UnknownKind x.yaml:1",
    ],
    [
      "a group of theirs without kind",
      { "x.yaml": retention("x").replace(/kind.*\n/, "") },
      "error UnknownKind x.yaml:1",
    ],
    ["no name", { "x.yaml": retention("x").replace("  name: x\n", "") }, "error Invalid x.yaml:3"],
    ["a name that is a path", { "x.yaml": retention("../x") }, "error Invalid x.yaml:4"],
    [
      "no namespace",
      { "x.yaml": retention("x").replace("  namespace: demo\n", "") },
      "error Invalid x.yaml:3",
    ],
  ])("%s", async (_name, files, expected) => {
    const declared = await read({ "ok.yaml": retention("ok"), ...files });
    expect(told(declared)).toEqual([expected]);
    expect(names(declared)).toEqual(["ok"]);
    expect(declared.complete).toBe(false);
  });
});

describe("what cannot be meant is not taken", () => {
  test("two documents with one identity: both places are named and neither is taken", async () => {
    const declared = await read({
      "a.yaml": `${retention("ok")}---\n${retention("x")}`,
      "b.yaml": retention("x", 9),
    });
    expect(told(declared)).toEqual(["error DuplicateObject a.yaml:10", "error DuplicateObject b.yaml:1"]);
    expect(declared.problems[0]?.message).toContain("clusters/prod/a.yaml:10 and clusters/prod/b.yaml:1");
    expect(names(declared)).toEqual(["ok"]);
    expect(declared.complete).toBe(false);
  });

  test("a valid twin of an invalid document is not taken either", async () => {
    const declared = await read({
      "a.yaml": retention("x").replace("last:", "lst:"),
      "b.yaml": retention("x"),
    });
    expect(told(declared)).toContain("error DuplicateObject b.yaml:1");
    expect(names(declared)).toEqual([]);
  });

  test("a folder that is not there is an error, not an empty declaration", async () => {
    const declared = await read({});
    expect(declared).toMatchObject({ complete: false, documents: [] });
    expect(declared.problems[0]).toMatchObject({ reason: "FolderNotFound", severity: "error" });
  });

  test("fields that the cluster sets are left out with a warning, empty ones silently", async () => {
    const pasted = retention("a").replace(
      "  name: a\n",
      "  name: a\n  uid: u-1\n  creationTimestamp: null\n",
    );
    const declared = await read({ "a.yaml": `${pasted}status: {}\n` });
    expect(told(declared)).toEqual(["warning ClusterFieldInGit a.yaml:5"]);
    expect(declared.documents[0]?.object).not.toHaveProperty("status");
    expect(declared.documents[0]?.object.metadata).toEqual({ name: "a", namespace: "demo" });
    expect(declared.complete).toBe(true);
  });
});

describe("a Secret", () => {
  const canary = "c4n4ry-7f3a9d";
  test.each<[string, string, string]>([
    ["with data", `apiVersion: v1\nkind: Secret\ndata:\n  password: ${canary}\n`, "SecretInGit"],
    ["with stringData", `kind: Secret\nstringData: {"${canary}": ${canary}}\n`, "SecretInGit"],
    [
      "in a list",
      `kind: List\nitems:\n- kind: Secret\n  apiVersion: v1\n  data: {a: ${canary}}\n`,
      "SecretInGit",
    ],
    [
      "as JSON",
      JSON.stringify({ apiVersion: "v1", kind: "Secret", stringData: { p: canary } }),
      "SecretInGit",
    ],
    ["with text instead of a map", `apiVersion: v1\nkind: Secret\ndata: ${canary}\n`, "SecretInGit"],
    [
      "encrypted with SOPS",
      `apiVersion: v1\nkind: Secret\ndata: {p: "ENC[${canary}]"}\nsops: {version: 3.9.0}\n`,
      "EncryptedSecretNotSupported",
    ],
    [
      "in a broken file",
      `apiVersion: v1\nkind: Secret\ndata:\n  a: !${canary}\n  b: *${canary}\n`,
      "Unreadable",
    ],
  ])("%s is refused and its values are nowhere in the answer", async (_name, text, reason) => {
    const declared = await read({ "s.yaml": text, "ok.yaml": retention("ok") });
    expect(declared.problems.map((problem) => problem.reason)).toEqual([reason]);
    expect(JSON.stringify(declared)).not.toContain(canary);
    expect(names(declared)).toEqual(["ok"]);
  });

  test("without values is another kind", async () => {
    const declared = await read({ "s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n" });
    expect(declared).toMatchObject({ problems: [], complete: true, others: { Secret: 1 } });
  });
});

describe("settings and revision", () => {
  const failing = async (files: Files, asked: Parameters<typeof readDeclared>[1] = request) => {
    try {
      await readDeclared(memoryRemote(files), asked, AbortSignal.timeout(5000));
    } catch (error) {
      if (error instanceof HoldfastError) return error;
      throw error;
    }
    throw new Error("it was read");
  };

  test("a wrong field stops everything, with file and line", async () => {
    const error = await failing({ "holdfast.yaml": `${settings["holdfast.yaml"]}recrod: {}\n` });
    expect(error).toMatchObject({ reason: "SettingsInvalid", disposition: "stall" });
    expect(error.message).toMatch(/^holdfast.yaml:4: unknown field recrod/);
  });

  test("a missing file and a symlink in its place stop everything", async () => {
    expect((await failing({})).message).toMatch(/there is no holdfast.yaml/);
    expect((await failing({ "holdfast.yaml": { type: "symlink" } })).message).toMatch(
      /there is no holdfast.yaml/,
    );
  });

  test("the record may not go to the branch that declares", async () => {
    const error = await failing({ "holdfast.yaml": `${settings["holdfast.yaml"]}record: {branch: main}\n` });
    expect(error.message).toMatch(/the branch that declares/);
  });

  test("a branch that is not there is told by name", async () => {
    expect(await failing(settings, { branch: "dev", cluster: "prod" })).toMatchObject({
      reason: "BranchNotFound",
    });
  });

  test("a commit may be read without its branch", async () => {
    const remote = memoryRemote({ ...settings, "clusters/prod/a.yaml": retention("a") });
    const declared = await readDeclared(remote, { commit, cluster: "prod" }, AbortSignal.timeout(5000));
    expect(declared.revision).toEqual({ commit });
  });
});

test("10 001 files: 10 000 are read, a few at a time, and the rest is told", async () => {
  const files = Object.fromEntries(
    Array.from({ length: limits.files + 1 }, (_, index) => [
      `f${String(index).padStart(6, "0")}.yaml`,
      retention(`r${index}`),
    ]),
  );
  const remote = memoryRemote({ "holdfast.yaml": "clusters: {prod: {path: .}}\n", ...files });
  const declared = await readDeclared(remote, request, AbortSignal.timeout(10_000));
  expect(declared.documents).toHaveLength(limits.files);
  expect(declared.problems[0]?.message).toContain("only 10000 are read");
  expect(declared.complete).toBe(false);
  expect(Math.max(...remote.requests)).toBeLessThanOrEqual(limits.filesAtOnce);
});
