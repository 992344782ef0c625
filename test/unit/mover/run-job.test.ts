import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { parseFlags } from "../../../src/mover/job-flags.ts";
import { jobNames, runJob } from "../../../src/mover/run-job.ts";
import { createSecretKeeper } from "../../../src/mover/secret-keeper.ts";
import { writeTerminationMessage } from "../../../src/mover/termination-message.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import { freePort } from "../../support/free-port.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "holdfast-job-"));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const message = async () => await readFile(join(root, "dev/termination-log"), "utf8");

/** Ports of a machine on which nothing runs: no API server answers, and there is no restic. */
async function run(name: string, args: readonly string[], component?: string): Promise<number> {
  const server = `http://127.0.0.1:${await freePort()}`;
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server } }],
    users: [{ name: "x", user: {} }],
  });
  const kube = await connectKube({ kubeconfigText, deadlineMs: 500 });
  const code = await runJob(name, args, {
    kube,
    restic: createRestic({ environment: {}, clock: systemClock }),
    openObjects,
    clock: systemClock,
    root,
    environment: component === undefined ? {} : { COMPONENT_NAME: component },
    version: "test",
    log: () => {},
    signal: AbortSignal.timeout(5000),
  });
  await kube.close();
  return code;
}

describe("usage", () => {
  it("of an unknown job is refused by name, with the nearest one", async () => {
    expect(await run("kubedump-backp", [])).toBe(2);
    expect(await message()).toBe('there is no job "kubedump-backp". Did you mean kubedump-backup?');
  });

  it.each(jobNames)("of %s refuses an unknown flag by name", async (name) => {
    expect(await run(name, ["--sanitize=true"], "x")).toBe(2);
    expect(await message()).toContain(`job ${name} has no flag --sanitize`);
  });

  it.each(jobNames)("of %s asks for what it needs", async (name) => {
    expect(await run(name, [], "x")).toBe(2);
    expect(await message()).toMatch(/needs? (exactly )?/);
  });

  const wrong = [
    ["workload-restore", ["--include=/a", "--exclude=/b", "--snapshot=s"], /not with both/],
    ["storage-upload", ["--repository=a/b", "--snapshot=a/b"], /exactly one of/],
    ["kubedump-restore", ["--storage-class-mappings=gp2"], /"gp2" is not of the form old=new/],
    ["kubedump-restore", ["--override-resources=perhaps"], /neither true nor false/],
    ["workload-backup", ["--paths=data"], /--paths is not an absolute path/],
    ["workload-backup", ["--paths=/data/../etc"], /--paths is not an absolute path/],
    ["workload-backup", ["--paths=/"], /--paths is not an absolute path/],
    ["kubedump-backup", ["--scratch-dir=/"], /--scratch-dir is not an absolute path/],
    ["trigger-backup", ["--invoker-kind=BackupBatch"], /an invoker of kind BackupBatch is not supported/],
  ] as const;
  it.each(wrong)("of %s with %j is refused", async (name, args, text) => {
    expect(await run(name, args, "manifest")).toBe(2);
    expect(await message()).toMatch(text);
  });

  it("of a backup needs a component", async () => {
    expect(await run("kubedump-backup", [])).toBe(2);
    expect(await message()).toContain("COMPONENT_NAME");
  });
});

it("without an API server ends with 1 and says so", async () => {
  expect(
    await run("trigger-backup", [
      "--invoker-kind=BackupConfiguration",
      "--invoker-namespace=a",
      "--invoker-name=b",
      "--session-name=c",
    ]),
  ).toBe(1);
  expect(await message()).toMatch(/ECONNREFUSED|127\.0\.0\.1/);
});

describe("flags", () => {
  it("with an empty value are not given", () => {
    const flags = parseFlags("x", ["--a=", "--b=1"], ["a", "b"]);
    expect(flags.text("a")).toBeUndefined();
    expect(flags.truth("a", true)).toBe(true);
    expect(flags.truth("b", false)).toBe(true);
    expect(() => flags.required("a")).toThrow(/needs --a/);
  });

  it("may hold = and line ends in their values", () => {
    expect(parseFlags("x", ["--a=b=c\nd"], ["a"]).text("a")).toBe("b=c\nd");
  });

  it.each(["a=1", "-a=1", "--a", "--A=1"])("refuse %j", (arg) => {
    expect(() => parseFlags("x", [arg], ["a"])).toThrow(/not of the form --flag=value/);
  });

  it("refuse to be given twice", () => {
    expect(() => parseFlags("x", ["--a=1", "--a=2"], ["a"])).toThrow(/--a is given twice/);
  });
});

describe("the termination message", () => {
  it("is the last 4 KiB, in whole characters", async () => {
    await writeTerminationMessage(root, `${"é".repeat(3000)}end`);
    const text = await message();
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    expect(text.endsWith("éend")).toBe(true);
    expect(text).not.toContain("\uFFFD");
  });
});

it("a secret that was read is taken out of every later text, with and without its line end", () => {
  const keeper = createSecretKeeper();
  expect(keeper.redact("hunter2 hunter2")).toBe("hunter2 hunter2");
  keeper.add(["hunter2\n", "other"]);
  expect(keeper.redact("a hunter2 b other c")).toBe("a *** b *** c");
});
