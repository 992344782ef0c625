import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitRepository, gitDirectory } from "../support/git-remote.ts";
import { type CommandResult, holdfast } from "../support/holdfast-command.ts";
import { commitHostile, hostileEntries, hostileFiles, policyText } from "../support/hostile-files.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { type ResourceUsage, usageIn, usageInto } from "../support/resource-usage.ts";

const documents = Array.from({ length: 5000 }, (_, index) => policyText(`p${index}`)).join("---\r\n");
const others = 'kind: "\\e]0;title\\a\\n::error::forged"\n';

let folder: string;
let root: ReturnType<typeof gitDirectory>;
let repository: GitRepository;
let result: CommandResult;
let usage: ResourceUsage;

function build(): void {
  root = gitDirectory();
  repository = root.repository();
  commitHostile(
    repository,
    [
      ...hostileEntries,
      { name: "..", content: policyText("parent") },
      { name: "good.yaml", content: documents },
      { mode: "160000", name: "module", oid: "1".repeat(40) },
      { name: "other.yaml", content: others },
      { mode: "120000", name: "symlink.yaml", content: "/etc/passwd" },
    ],
    { count: 2000, content: "apiVersion: v1\nkind: ConfigMap\n" },
  );
}

async function validate(...args: readonly string[]): Promise<CommandResult> {
  const env = { XDG_CACHE_HOME: join(folder, "cache"), ...usageInto(join(folder, "usage.json")) };
  return holdfast(["validate", "--remote", repository.url, "--cluster", "lab", ...args], { env });
}

describe.runIf(requireOrSkip("git"))("a hostile repository", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-hostile-"));
    build();
    result = await validate();
    usage = usageIn(join(folder, "usage.json"));
  }, 120_000);
  afterAll(async () => {
    await root?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const lines = () => result.stdout.split("\n");

  test.each(Object.entries(hostileFiles))("gets one error with file and line for %j", (name, [, told]) => {
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
  });

  test("has all of its good documents read, in bounded memory and time", () => {
    expect(result.stdout).toMatch(/^5000 object\(s\) declared at /m);
    expect(result.stdout).toMatch(/2000 ConfigMap/);
    // The aims are 200 MB and a second beyond the 5,000 documents; the bounds are wide for busy machines.
    expect(usage.peakMiB).toBeLessThan(400);
    expect(usage.cpuMs).toBeLessThan(20_000);
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
