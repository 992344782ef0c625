import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type ContainerProcess,
  startProcess,
} from "../../../src/embedded/controllers/kubelet/container-process.ts";
import {
  endProcesses,
  identify,
  isRunning,
  processesWith,
} from "../../../src/embedded/controllers/kubelet/process-identity.ts";

let directory: string;
let logPath: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-process-"));
  logPath = join(directory, "main.log");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function start(script: string): Promise<ContainerProcess> {
  const argv = [process.execPath, "-e", script];
  const environment = { HOLDFAST_ROOT: directory };
  const started = await startProcess({ argv, environment, cwd: directory, logPath });
  if (!("ended" in started)) throw new Error(started.startError);
  return started;
}

async function logged(text: RegExp): Promise<string> {
  for (let turn = 0; turn < 200; turn += 1) {
    const log = await readFile(logPath, "utf8").catch(() => "");
    if (text.test(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${text} was not logged`);
}

test("a program that is not there is an end with its reason", async () => {
  const argv = [join(directory, "nothing")];
  const end = await startProcess({ argv, environment: {}, cwd: directory, logPath });
  expect(end).toMatchObject({ exitCode: 128, startError: expect.stringContaining("ENOENT") });
});

test("exit code, both outputs and the whole environment are as they were given", async () => {
  const script = "console.log(Object.keys(process.env).join()); console.error('err'); process.exitCode = 7";
  const started = await start(script);
  expect(await started.ended).toEqual({ exitCode: 7 });
  expect((await readFile(logPath, "utf8")).split("\n").toSorted().join(" ").trim()).toBe("HOLDFAST_ROOT err");
});

test("what a container started ends with it", async () => {
  const child = `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "inherit" })`;
  const started = await start(`console.log("pid " + ${child}.pid); setTimeout(() => process.exit(0), 100)`);
  const pid = Number(/pid (\d+)/.exec(await logged(/pid \d+\n/))?.[1]);
  const grandchild = await identify(pid);
  expect(await started.ended).toEqual({ exitCode: 0 });
  // The signal has been sent; when it arrives is the kernel's to say.
  await expect.poll(() => isRunning(grandchild)).toBe(false);
});

test("one that does not listen to TERM is killed after the grace", async () => {
  const started = await start(
    `process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1e6)`,
  );
  await logged(/up/);
  started.terminate(100);
  expect(await started.ended).toEqual({ exitCode: 137, signal: 9 });
});

test("a process is found by its environment and ended, another with its pid is not", async () => {
  const started = await start(`console.log("up"); setInterval(() => {}, 1e6)`);
  await logged(/up/);
  const found = await processesWith("HOLDFAST_ROOT", directory);
  expect(found).toEqual([started.identity]);
  await endProcesses([{ pid: started.identity.pid, startTime: "1" }, { pid: started.identity.pid }]);
  expect(await isRunning(started.identity)).toBe(true);
  await endProcesses(found);
  expect(await isRunning(started.identity)).toBe(false);
  expect(await started.ended).toMatchObject({ signal: 15 });
});
