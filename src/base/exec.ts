import { type ChildProcess, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { systemClock } from "./clock.ts";
import { HoldfastError, messageOf } from "./errors.ts";
import { createLineSplitter, createTail } from "./output.ts";

/** One process. There is no shell: `args` reach the program as they are. */
export type ExecRequest = {
  /** A name looked up in the PATH of `environment`, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to stdin, which is then closed. Absent: stdin is empty. */
  readonly stdin?: string | Uint8Array;
  /** After so many milliseconds the process group gets `softSignal`, and KILL after the grace. */
  readonly deadlineMs: number;
  /** Milliseconds between the soft signal and KILL; 10,000 by default. */
  readonly graceMs?: number;
  /** What asks the program to end; SIGTERM by default. */
  readonly softSignal?: "SIGTERM" | "SIGINT";
  readonly signal?: AbortSignal;
  /** Bytes of stdout and of stderr that are kept each, the end of them; 1 MiB by default. */
  readonly maxOutputBytes?: number;
  /** Bytes of a line of stdout; a longer one is cut, so that no end of line fills no memory; 1 MiB by default. */
  readonly maxLineBytes?: number;
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
};

/** What this process was given, for one that shall find what it finds. */
export function ownEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export type ExecResult = {
  /** Absent when a signal ended the process, or when it was aborted before it began. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** The end of it, at most `maxOutputBytes`. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
};

const defaultGraceMs = 10_000;
const defaultMaxOutputBytes = 1024 * 1024;
const defaultMaxLineBytes = 1024 * 1024;
/** How long a killed group may keep the pipes open (a member in another session) before they are let go. */
const stragglerMs = 1_000;

/**
 * Runs one process to its end. Any exit code is an answer, not an error; so are the deadline and an abort.
 * Throws `CommandNotFound` when there is no such program and `CommandNotStarted` when it cannot be run.
 */
export async function exec(request: ExecRequest): Promise<ExecResult> {
  const stdout = createTail(request.maxOutputBytes ?? defaultMaxOutputBytes);
  const lines = request.onStdoutLine && createLineSplitter(lineLimit(request), request.onStdoutLine);
  const running = await start(request);
  if (running === undefined) return abortedBeforeStart;
  running.child.stdout?.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    lines?.push(chunk);
  });
  const ended = await running.ended;
  lines?.end();
  return { ...ended, stdout: stdout.text() };
}

/**
 * Runs one process and yields its stdout line by line, reading no faster than the consumer; returns the
 * result (with empty stdout). A consumer that stops early ends the process. Errors as in `exec`.
 */
export async function* execLines(request: ExecRequest): AsyncGenerator<string, ExecResult, void> {
  const running = await start(request);
  if (running === undefined) return abortedBeforeStart;
  const ready: string[] = [];
  const splitter = createLineSplitter(lineLimit(request), (line) => ready.push(line));
  let complete = false;
  try {
    for await (const chunk of running.child.stdout ?? []) {
      splitter.push(chunk);
      yield* ready.splice(0);
    }
    splitter.end();
    yield* ready.splice(0);
    complete = true;
  } catch (thrown) {
    // Pipes that were let go after KILL end with a premature close; the result says why.
    if (!isPrematureClose(thrown)) throw thrown;
    complete = true;
  } finally {
    if (!complete) running.end();
    await running.ended;
  }
  return { ...(await running.ended), stdout: "" };
}

function lineLimit({ maxLineBytes = defaultMaxLineBytes }: ExecRequest): number {
  return maxLineBytes;
}

type Running = {
  readonly child: ChildProcess;
  readonly ended: Promise<ExecResult>;
  /** Soft signal now, KILL after the grace. */
  readonly end: () => void;
};

const abortedBeforeStart: ExecResult = {
  exitCode: undefined,
  signal: undefined,
  timedOut: false,
  aborted: true,
  stdout: "",
  stderr: "",
  durationMs: 0,
};

async function start(request: ExecRequest): Promise<Running | undefined> {
  if (request.signal?.aborted) return undefined;
  const startedAt = performance.now();
  const child = spawn(request.command, [...request.args], {
    env: request.environment,
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    shell: false,
    // A group of its own, so that children of the program end with it.
    detached: true,
  });
  const failed = new Promise<Error>((resolve) => child.once("error", resolve));
  if (child.pid === undefined) throw await notStarted(request, await failed);
  const closed = new Promise<Pick<ExecResult, "exitCode" | "signal">>((resolve) => {
    child.once("close", (code, signal) =>
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }),
    );
  });
  // A program may end without reading what it was given.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(request.stdin);
  const stderr = createTail(request.maxOutputBytes ?? defaultMaxOutputBytes);
  const stderrLines = request.onStderrLine && createLineSplitter(defaultMaxLineBytes, request.onStderrLine);
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr.push(chunk);
    stderrLines?.push(chunk);
  });
  const leash = holdOnLeash(child, child.pid, request);
  const ended = closed.then((result) => {
    const { timedOut, aborted } = leash.release();
    stderrLines?.end();
    const durationMs = Math.round(performance.now() - startedAt);
    return { ...result, timedOut, aborted, stdout: "", stderr: stderr.text(), durationMs };
  });
  return { child, ended, end: leash.end };
}

/** Ends the process group at the deadline, on abort, or when told to: soft signal, KILL after the grace. */
function holdOnLeash(child: ChildProcess, groupId: number, request: ExecRequest) {
  let timedOut = false;
  let aborted = false;
  const released = new AbortController();
  const after = (ms: number, run: () => void) =>
    void systemClock.sleep(ms, released.signal).then(() => released.signal.aborted || run());
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    signalGroup(groupId, request.softSignal ?? "SIGTERM");
    after(request.graceMs ?? defaultGraceMs, () => {
      signalGroup(groupId, "SIGKILL");
      after(stragglerMs, () => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      });
    });
  };
  const onAbort = () => {
    aborted = !timedOut;
    end();
  };
  after(request.deadlineMs, () => {
    timedOut = !aborted;
    end();
  });
  request.signal?.addEventListener("abort", onAbort, { once: true });
  return {
    end,
    release() {
      released.abort();
      request.signal?.removeEventListener("abort", onAbort);
      return { timedOut, aborted };
    },
  };
}

function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch {
    // The group is gone already, which is what the signal asks for.
  }
}

async function notStarted(request: ExecRequest, cause: Error): Promise<HoldfastError> {
  const missing = "code" in cause && cause.code === "ENOENT";
  // spawn answers ENOENT for a missing working directory too.
  const folder = request.cwd === undefined ? undefined : await stat(request.cwd).catch(() => undefined);
  if (request.cwd !== undefined && !folder?.isDirectory()) {
    return new HoldfastError(
      "CommandNotStarted",
      `cannot run ${request.command}: ${request.cwd} is not a directory`,
      { disposition: "stall", next: `Check that ${request.cwd} exists.`, cause },
    );
  }
  if (missing) {
    return new HoldfastError("CommandNotFound", `there is no program ${request.command} on the PATH`, {
      disposition: "stall",
      next: `Install ${request.command} or put its directory on the PATH.`,
      cause,
    });
  }
  return new HoldfastError("CommandNotStarted", `cannot run ${request.command}: ${messageOf(cause)}`, {
    disposition: "stall",
    next: `Check that ${request.command} is an executable file for this machine.`,
    cause,
  });
}

function isPrematureClose(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ERR_STREAM_PREMATURE_CLOSE";
}
