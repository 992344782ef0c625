import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { HoldfastError } from "../../base/errors.ts";
import { isObject } from "../value.ts";

/** A folder that one process owns. */
export type Lock = { release(): void };

/**
 * Takes the folder for this process. A lock whose process is gone is taken over; that happens under a second
 * lock, so that two heirs cannot both win. Throws `StateLocked` when the holder lives.
 */
export function lockDirectory(directory: string): Lock {
  const path = join(directory, "lock");
  if (!claim(path)) {
    const guard = join(directory, "lock.heir");
    if (!claim(guard)) throw locked(directory, holderOf(guard), guard);
    try {
      const holder = holderOf(path);
      if (holder !== undefined && lives(holder)) throw locked(directory, holder);
      rmSync(path, { force: true });
      if (!claim(path)) throw locked(directory, holderOf(path));
    } finally {
      rmSync(guard, { force: true });
    }
  }
  return { release: () => rmSync(path, { force: true }) };
}

/** `started` tells a process from a later one with the same id; "" where the system does not say. */
type Holder = { readonly pid: number; readonly started: string };

function claim(path: string): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
    closeSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function holderOf(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isObject(value) || typeof value["pid"] !== "number") return undefined;
    return { pid: value["pid"], started: String(value["started"] ?? "") };
  } catch {
    // Gone meanwhile, or its writer died before the first byte: nobody holds it.
    return undefined;
  }
}

function lives(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    const denied = error instanceof Error && "code" in error && error.code === "EPERM";
    if (!denied) return false;
  }
  return holder.started === "" || holder.started === startOf(holder.pid);
}

function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22; the second one is the name in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** `guard`: the second lock, when that is what is held; nobody takes it over, so only a person can remove it. */
function locked(directory: string, holder: Holder | undefined, guard?: string): HoldfastError {
  const who = holder === undefined ? "another process" : `process ${holder.pid}`;
  return new HoldfastError("StateLocked", `the state folder ${directory} is in use by ${who}`, {
    disposition: "stall",
    next: `stop that process, or choose another folder${guard === undefined ? "" : ` (if it is gone, remove ${guard})`}`,
  });
}
