import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HoldfastError } from "../../../src/base/errors.ts";
import { type ExecRequest, exec, execLines } from "../../../src/base/exec.ts";

const node = (script: string, changes: Partial<ExecRequest> = {}): ExecRequest => ({
  command: process.execPath,
  args: ["-e", script],
  environment: {},
  deadlineMs: 9_000,
  ...changes,
});

function isAlive(pid: number): boolean {
  try {
    // A zombie waits for its parent and runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100 && isAlive(pid); attempt += 1) await sleep(20);
  return !isAlive(pid);
}

describe("exec", () => {
  it("answers the exit code and both outputs", async () => {
    const result = await exec(node("console.log('out'); console.error('err'); process.exitCode = 7"));
    expect(result).toMatchObject({
      exitCode: 7,
      signal: undefined,
      timedOut: false,
      aborted: false,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it("hands arguments over as they are and no variable but those given", async () => {
    const args = [
      "-e",
      "console.log(JSON.stringify([process.argv.slice(1), process.env.ONLY, process.env.HOME]))",
    ];
    const odd = ["$(id)", "a b", "*", "'\"", "--", "ü\n"];
    const result = await exec(node("", { args: [...args, "--", ...odd], environment: { ONLY: "this" } }));
    expect(JSON.parse(result.stdout)).toEqual([odd, "this", null]);
  });

  it("feeds stdin and survives a program that does not read it", async () => {
    const echoed = await exec(node("process.stdin.pipe(process.stdout)", { stdin: "hello" }));
    expect(echoed.stdout).toBe("hello");
    const deaf = await exec(node("process.exit(0)", { stdin: Buffer.alloc(4 * 1024 * 1024) }));
    expect(deaf.exitCode).toBe(0);
  });

  it("keeps the end of an output without bound", async () => {
    const script = "for (let i = 0; i < 20000; i++) console.log('line ' + i)";
    const result = await exec(node(script, { maxOutputBytes: 100 }));
    expect(Buffer.byteLength(result.stdout)).toBe(100);
    expect(result.stdout.endsWith("line 19999\n")).toBe(true);
  });

  it("gives lines as they come, whole over chunks and the last one without its end", async () => {
    const seen: string[] = [];
    const script =
      "process.stdout.write('eins\\nzw'); setTimeout(() => process.stdout.write('ei\\r\\n\\ndrei €'), 50)";
    await exec(node(script, { onStdoutLine: (line) => seen.push(line) }));
    expect(seen).toEqual(["eins", "zwei", "", "drei €"]);
  });

  it("cuts a line that has no end", async () => {
    const seen: string[] = [];
    const script = "process.stdout.write('x'.repeat(3 * 1024 * 1024)); console.log(); console.log('next')";
    await exec(node(script, { onStdoutLine: (line) => seen.push(line) }));
    expect(seen.map((line) => line.length)).toEqual([1024 * 1024, 4]);
  });
});

describe("exec of a program that does not end or begin", () => {
  it("asks a program to end at its deadline", async () => {
    const script =
      "process.on('SIGTERM', () => { console.log('asked'); process.exit(5) }); setInterval(() => {}, 1000)";
    const result = await exec(node(script, { deadlineMs: 500 }));
    expect(result).toMatchObject({ timedOut: true, aborted: false, exitCode: 5, stdout: "asked\n" });
  });

  it("kills a program that does not listen, with everything that it started", async () => {
    const script = `
      process.on('SIGTERM', () => {});
      const child = require('node:child_process').spawn(process.execPath,
        ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const result = await exec(node(script, { deadlineMs: 500, graceMs: 200 }));
    expect(result).toMatchObject({ timedOut: true, exitCode: undefined, signal: "SIGKILL" });
    expect(await gone(Number(result.stdout))).toBe(true);
  });

  it("ends on abort with the signal that was chosen, and does not start when aborted before", async () => {
    const stop = new AbortController();
    const script =
      "process.on('SIGINT', () => process.exit(130)); console.log('up'); setInterval(() => {}, 1000)";
    const running = exec(
      node(script, { signal: stop.signal, softSignal: "SIGINT", onStdoutLine: () => stop.abort() }),
    );
    expect(await running).toMatchObject({ aborted: true, timedOut: false, exitCode: 130 });
    const never = await exec(node("console.log('ran')", { signal: stop.signal }));
    expect(never).toMatchObject({ aborted: true, exitCode: undefined, stdout: "" });
  });

  it.each([
    [{ command: "no-such-program" }, "CommandNotFound"],
    [{ command: "/etc" }, "CommandNotStarted"],
    [{ cwd: "/no/such/directory" }, "CommandNotStarted"],
  ])("says by name why %j cannot run", async (changes, reason) => {
    const thrown = await exec(node("", changes)).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(HoldfastError);
    expect(thrown).toMatchObject({ reason, disposition: "stall" });
  });
});

describe("execLines", () => {
  it("yields lines and returns the result", async () => {
    const lines = execLines(node("console.log('a\\nb'); console.error('why'); process.exitCode = 3"));
    const seen: string[] = [];
    let step = await lines.next();
    for (; !step.done; step = await lines.next()) seen.push(step.value);
    expect(seen).toEqual(["a", "b"]);
    expect(step.value).toMatchObject({ exitCode: 3, stderr: "why\n" });
  });

  it("reads no faster than its consumer", async () => {
    const script = `
      let written = 0;
      const line = 'x'.repeat(1023) + '\\n';
      const go = () => { while (written < 64 * 1024) { written++; if (!process.stdout.write(line)) return process.stdout.once('drain', go); } };
      go();
      setTimeout(() => { console.error(written < 32 * 1024); process.exit(0) }, 600);`;
    const lines = execLines(node(script));
    await lines.next();
    await sleep(900);
    let step = await lines.next();
    while (!step.done) step = await lines.next();
    expect(step.value).toMatchObject({ stderr: "true\n" });
  });

  it("ends the program when its consumer stops early", async () => {
    const script = "console.log(process.pid); setInterval(() => console.log('more'), 5)";
    let pid = 0;
    for await (const line of execLines(node(script))) {
      pid = Number(line);
      expect(isAlive(pid)).toBe(true);
      break;
    }
    expect(await gone(pid)).toBe(true);
  });
});
