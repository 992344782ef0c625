import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitRepository, gitDirectory } from "../support/git-remote.ts";
import { type CommandResult, holdfast } from "../support/holdfast-command.ts";
import { requireOrSkip } from "../support/real-parts.ts";

const policy = (name: string) =>
  `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata: {name: "${name}", namespace: demo}\nspec: {successfulSnapshots: {last: 3}}\n`;

const bomb = Array.from(
  { length: 30 },
  (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}, *a${level}]`,
);

/** Files below `c/`, each with what must be told of it. */
const hostile: Readonly<Record<string, readonly [content: string | Buffer, told: RegExp]>> = {
  "alias-bomb.yaml": [["a0: &a0 x", ...bomb].join("\n"), /:\d+: the file holds more than 100000 values/],
  "bell\u0007.yaml": [policy("bell"), /bell\\u0007\.yaml:1: a file whose name/],
  "deep.yaml": ["[".repeat(10_000), /:1: lists and maps are nested deeper/],
  "direction\u202Elmay.yaml": [policy("direction"), /direction\\u202elmay\.yaml:1: a file whose name/],
  "escape\u001b[2J.yaml": [policy("escape"), /escape\\u001b\[2J\.yaml:1: a file whose name/],
  "forged\n::error::it works.yaml": [policy("forged"), /forged ::error::it works\.yaml:1: a file whose name/],
  "five-megabytes.yaml": ["x: ".padEnd(5 * 2 ** 20, "y"), /:1: .*larger than/],
  "key.yaml": [
    `${policy("key")}"\\e[31m\\n##[error]forged": 1\n`,
    /:5: .*\\u001b\[31m #\\u0023\[error\]forged/,
  ],
  "lfs.yaml": ["version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", /:1: .*Git LFS pointer/],
  "nul.yaml": ["a: 1\nb: \0\n", /:2: the character U\+0000/],
  "proto.yaml": [`${policy("proto")}__proto__: {polluted: true}\n`, /:5: .*__proto__/],
  "twice.yaml": ["a: 1\na: 2\n", /:2: this key stands in the same map already/],
  "utf-16.yaml": [Buffer.from("\uFEFFa: 1\n", "utf16le"), /:1: this is not UTF-8/],
};

const documents = Array.from({ length: 5000 }, (_, index) => policy(`p${index}`)).join("---\r\n");
const others = 'kind: "\\e]0;title\\a\\n::error::forged"\n';

let folder: string;
let root: ReturnType<typeof gitDirectory>;
let repository: GitRepository;
let result: CommandResult;
let usage: { maxRSS: number; userCPUTime: number; systemCPUTime: number };

/** A commit as no client would make it: odd names, a symlink, a submodule, and an entry that leaves the folder. */
function build(): void {
  root = gitDirectory();
  repository = root.repository();
  const blob = (content: string | Buffer) =>
    repository.gitWith(content, "hash-object", "-w", "--stdin").trim();
  const tree = (entries: readonly (readonly [mode: string, name: string, oid: string])[]) => {
    const sorted = [...entries].sort(([, a], [, b]) => (a < b ? -1 : 1));
    const raw = sorted.map(([mode, name, oid]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]),
    );
    const args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    return repository.gitWith(Buffer.concat(raw), ...args).trim();
  };
  const plain = blob("apiVersion: v1\nkind: ConfigMap\n");
  const many = Array.from({ length: 2000 }, (_, index) => ["100644", `m${index}.yaml`, plain] as const);
  const files = Object.entries(hostile).map(([name, [content]]) => ["100644", name, blob(content)] as const);
  const declared = tree([
    ...files,
    ["100644", "..", blob(policy("parent"))],
    ["100644", "good.yaml", blob(documents)],
    ["40000", "many", tree(many)],
    ["160000", "module", "1".repeat(40)],
    ["100644", "other.yaml", blob(others)],
    ["120000", "symlink.yaml", blob("/etc/passwd")],
  ]);
  const settings = blob("clusters:\r\n  lab:\r\n    path: c\r\n");
  const all = tree([
    ["40000", "c", declared],
    ["100644", "holdfast.yaml", settings],
  ]);
  const commit = repository.gitWith("hostile\n", "commit-tree", all).trim();
  repository.git("update-ref", "refs/heads/main", commit);
}

/** Has a command say at its end what it took. */
function measured(file: string): Record<string, string> {
  const script = `import fs from "node:fs"; process.on("exit", () => fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.resourceUsage())));`;
  return { NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString("base64")}` };
}

async function validate(...args: readonly string[]): Promise<CommandResult> {
  const env = { XDG_CACHE_HOME: join(folder, "cache"), ...measured(join(folder, "usage.json")) };
  return holdfast(["validate", "--remote", repository.url, "--cluster", "lab", ...args], { env });
}

describe.runIf(requireOrSkip("git"))("a hostile repository", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-hostile-"));
    build();
    result = await validate();
    usage = JSON.parse(readFileSync(join(folder, "usage.json"), "utf8"));
  }, 120_000);
  afterAll(async () => {
    await root?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const lines = () => result.stdout.split("\n");

  test.each(Object.entries(hostile))("gets one error with file and line for %j", (name, [, told]) => {
    const start = `error: c/${name.split(/[^\w.-]/)[0]}`;
    const found = lines().filter((line) => line.startsWith(start));
    expect(found).toEqual([expect.stringMatching(told)]);
  });

  test.each([
    ["..", /^error: c\/\.\.:1: Git itself refuses/m],
    ["a symlink", /^error: c\/symlink\.yaml:1: a symlink is never followed/m],
    ["a submodule", /^error: c\/module:1: a submodule is never followed/m],
  ])("gets one error for %s", (_name, told) => {
    expect(result.stdout).toMatch(told);
  });

  test("is told in lines of ours only, without a character that a terminal obeys", () => {
    expect(result).toMatchObject({ code: 1, stderr: "" });
    expect(result.stdout).not.toMatch(/(?!\n)\p{Cc}|\p{Cf}/u);
    expect(result.stdout).not.toContain("##[");
    expect(lines().filter((line) => /^\s*::/.test(line))).toEqual([]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("has all of its good documents read, in bounded memory and time", () => {
    expect(result.stdout).toMatch(/^5000 object\(s\) declared at /m);
    expect(result.stdout).toMatch(/2000 ConfigMap/);
    // The aims are 200 MB and a second beyond the 5,000 documents; the bounds are wide for busy machines.
    expect(usage.maxRSS / 1024).toBeLessThan(400);
    expect((usage.userCPUTime + usage.systemCPUTime) / 1e6).toBeLessThan(20);
  });

  test("has no branch of another name", async () => {
    const { code, stderr } = await validate("--branch", "absent");
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no branch absent\n {2}Push a commit/);
  });

  test("is one that git itself finds broken", () => {
    expect(() =>
      execFileSync("git", ["-C", repository.directory, "fsck", "--strict"], { stdio: "pipe" }),
    ).toThrow(/hasDotdot/);
  });
});
