import { spawn } from "node:child_process";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { aborted, objectTooLarge, unreachable } from "./git-errors.ts";
import type { Deadlines, Exchange } from "./transport.ts";

export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** For people, in errors. */
  readonly where: string;
};

export type Finished = { readonly code: number | null; readonly output: Buffer; readonly words: string };

const wordsBytes = 8_192;

/** One process that is given the request on its standard input; ended by force at a deadline or on abort. */
export function runProcess(
  { file, args, environment, where }: Command,
  { body, maxReplyBytes, signal }: Exchange,
  deadlines: Deadlines,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(where));
    // A group of its own, so that what it starts (hooks, pack-objects) ends with it.
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: environment, detached: true });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let words = "";
    let failure: Error | undefined;
    const end = (error: Error) => {
      failure ??= error;
      killGroup(child.pid);
    };
    // The first of two that fall together is the reason: that its whole time is over says more than its silence.
    const total = setTimeout(
      () => end(unreachable(where, `took over ${deadlines.totalMs} ms`)),
      deadlines.totalMs,
    );
    const idle = setTimeout(
      () => end(unreachable(where, `was silent for ${deadlines.idleMs} ms`)),
      deadlines.idleMs,
    );
    const onAbort = () => end(aborted(where));
    signal?.addEventListener("abort", onAbort);
    child.stdout.on("data", (chunk: Buffer) => {
      idle.refresh();
      output.push(chunk);
      outputBytes += chunk.length;
      if (outputBytes > maxReplyBytes) end(objectTooLarge("The remote's reply", maxReplyBytes));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      idle.refresh();
      words = (words + chunk.toString("utf8")).slice(-wordsBytes);
    });
    // A process that ends without reading is judged by its exit code, not by the broken pipe.
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => {
      failure ??= notStarted(file, error);
    });
    child.on("close", (code) => {
      clearTimeout(idle);
      clearTimeout(total);
      signal?.removeEventListener("abort", onAbort);
      if (failure) reject(failure);
      else resolve({ code, output: Buffer.concat(output), words });
    });
    child.stdin.end(body);
  });
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch {
    // The group is gone already, which is what the signal asks for.
  }
}

function notStarted(file: string, error: Error): HoldfastError {
  return new HoldfastError(
    "CommandMissing",
    `The system's ${file} could not be started: ${messageOf(error)}`,
    {
      disposition: "stall",
      next: `Install ${file}, or use an https:// URL, which needs neither git nor ssh.`,
      cause: error,
    },
  );
}
