import { type ChildProcess, spawn } from "node:child_process";
import { systemClock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { openLogFile } from "./log-file.ts";
import { identify, type ProcessIdentity, signalProcess } from "./process-identity.ts";

export type ProcessRequest = {
  /** The program and its arguments; there is no shell. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logPath: string;
};

export type ProcessEnd = {
  readonly exitCode: number;
  readonly signal?: number;
  /** Set when the program could not be started at all. */
  readonly startError?: string;
};

export type ContainerProcess = {
  readonly identity: ProcessIdentity;
  readonly ended: Promise<ProcessEnd>;
  /** TERM to the process group now, KILL after the grace; a later call sets another grace. */
  readonly terminate: (graceMs: number) => void;
};

const stragglerMs = 1_000;

/**
 * Starts a container's process in a group of its own, with its output in the log. A program that cannot be
 * started is an end at once, with `startError`.
 */
export async function startProcess(request: ProcessRequest): Promise<ContainerProcess | ProcessEnd> {
  const [command = "", ...args] = request.argv;
  const log = await openLogFile(request.logPath);
  const child = spawn(command, args, {
    env: { ...request.environment },
    cwd: request.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    shell: false,
    // A group of its own, so that what it starts ends with it.
    detached: true,
  });
  const failed = new Promise<Error>((resolve) => child.once("error", resolve));
  const { pid } = child;
  if (pid === undefined) {
    const startError = messageOf(await failed);
    await log.close();
    return { exitCode: 128, startError };
  }
  const ended = endOf(child, pid, log);
  let killer = new AbortController();
  let over = false;
  void ended.then(() => {
    over = true;
    killer.abort();
  });
  return {
    identity: await identify(pid),
    ended,
    terminate(graceMs) {
      if (over) return;
      killer.abort();
      killer = new AbortController();
      const { signal } = killer;
      signalProcess(-pid, "SIGTERM");
      void systemClock.sleep(graceMs, signal).then(() => signal.aborted || signalProcess(-pid, "SIGKILL"));
    },
  };
}

async function endOf(
  child: ChildProcess,
  pid: number,
  log: { readonly write: (chunk: Buffer) => Promise<void>; readonly close: () => Promise<void> },
): Promise<ProcessEnd> {
  const copy = async (stream: NodeJS.ReadableStream | null) => {
    try {
      for await (const chunk of stream ?? []) await log.write(Buffer.from(chunk));
    } catch {
      // A pipe that was let go after the end, or a full disk: the process goes on without its log.
      stream?.resume();
    }
  };
  const copies = Promise.all([copy(child.stdout), copy(child.stderr)]);
  const end = await new Promise<ProcessEnd>((resolve) => {
    child.once("exit", (code, signal) => {
      const number = signal === null ? undefined : signalNumber(signal);
      resolve(number === undefined ? { exitCode: code ?? 0 } : { exitCode: 128 + number, signal: number });
    });
  });
  // When a container's first process ends, everything in the container ends.
  signalProcess(-pid, "SIGKILL");
  const letGo = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, stragglerMs);
  await copies;
  clearTimeout(letGo);
  await log.close();
  return end;
}

const signals: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

function signalNumber(signal: NodeJS.Signals): number {
  return signals[signal] ?? 9;
}
