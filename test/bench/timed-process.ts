import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Sample } from "./bench.ts";

export type ProcessResult = Sample & { readonly stdout: string };

export type ProcessOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** With which it must end; 0 by default. */
  readonly exitCode?: number;
};

/** Jiffies per second, as Linux tells all programs. */
const jiffiesPerSecond = 100;

/** Runs a command to its end, and tells what it cost; one that fails is an error with its last words. */
export async function timedProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const before = childrenCpuMs();
  const startedMs = performance.now();
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const wallMs = performance.now() - startedMs;
  if (code !== (options.exitCode ?? 0))
    throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${(await stderr).slice(-800)}`);
  const after = childrenCpuMs();
  return {
    wallMs,
    stdout: await stdout,
    ...(before === undefined || after === undefined ? {} : { cpuMs: after - before }),
  };
}

/** A worker as a process of its own; answers what it printed last, as JSON. */
export async function runWorker<T>(path: string, task: object): Promise<{ readonly answer: T } & Sample> {
  const { stdout, ...cost } = await timedProcess(process.execPath, [path], { input: JSON.stringify(task) });
  return { answer: JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as T, ...cost };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Of all processes that this one has waited for, and of theirs. */
function childrenCpuMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / jiffiesPerSecond;
}
