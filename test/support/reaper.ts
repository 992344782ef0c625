import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * Ends processes and removes directories of tests even when the test run is killed: a process of its own
 * holds the list and acts on it when the pipe from its parent closes.
 */
export type Reaper = {
  /** Until it exits by itself: a process id is used again by others. */
  watchProcess(process: ChildProcess): void;
  watchDirectory(path: string): void;
  /** Ends what is listed and resolves when the directories are gone. */
  close(): Promise<void>;
};

export function startReaper(): Reaper {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "reap"], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin.on("error", () => {});
  child.unref();
  return {
    watchProcess: (process) => {
      child.stdin.write(`pid ${process.pid}\n`);
      process.once("exit", () => child.stdin.writable && child.stdin.write(`gone ${process.pid}\n`));
    },
    watchDirectory: (path) => void child.stdin.write(`dir ${path}\n`),
    close: () => {
      child.ref();
      child.stdin.end();
      return ended;
    },
  };
}

async function reap(): Promise<void> {
  const pids = new Set<number>();
  const directories: string[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.startsWith("pid ")) pids.add(Number(line.slice(4)));
    if (line.startsWith("gone ")) pids.delete(Number(line.slice(5)));
    if (line.startsWith("dir ")) directories.push(line.slice(4));
  }
  // Last started first: a client of another server ends before it.
  for (const pid of [...pids].toReversed()) await end(pid);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

async function end(pid: number): Promise<void> {
  for (const [signal, waits] of [
    ["SIGTERM", 50],
    ["SIGKILL", 50],
  ] as const) {
    if (!kill(pid, signal)) return;
    for (let wait = 0; wait < waits; wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (!kill(pid, 0)) return;
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[2] === "reap" && process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  await reap();
}
