import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../base/clock.ts";

/** A process id is given to others in time; together with the start time it names one process only. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Clock ticks since boot, from /proc; absent where there is no /proc. */
  readonly startTime?: string;
};

export async function identify(pid: number): Promise<ProcessIdentity> {
  const startTime = await startTimeOf(pid);
  return startTime === undefined ? { pid } : { pid, startTime };
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in parentheses may hold spaces; start time is the 22nd field, the 20th after it.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** False also where nothing can prove that the pid is still the same process. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  if (identity.startTime === undefined) return false;
  return (await startTimeOf(identity.pid)) === identity.startTime && !(await isZombie(identity.pid));
}

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
}

/** Processes whose environment was given this very variable; none where there is no /proc. */
export async function processesWith(name: string, value: string): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(join("/proc", entry, "environ"), "utf8").catch(() => "");
    if (environment.split("\0").includes(`${name}=${value}`)) found.push(await identify(Number(entry)));
  }
  return found;
}

const softMs = 2_000;
const hardMs = 5_000;

/** TERM, after two seconds KILL; resolves when they are gone. Only proven processes are touched. */
export async function endProcesses(identities: readonly ProcessIdentity[]): Promise<void> {
  for (const [signal, waitMs] of [
    ["SIGTERM", softMs],
    ["SIGKILL", hardMs],
  ] as const) {
    let left = await running(identities);
    for (const { pid } of left) signalProcess(pid, signal);
    // Real time: the kernel does not wait for a test's clock.
    for (let waited = 0; left.length > 0 && waited < waitMs; waited += 50) {
      await systemClock.sleep(50);
      left = await running(left);
    }
    if (left.length === 0) return;
  }
}

async function running(identities: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
  const checked = await Promise.all(
    identities.map(async (one) => ((await isRunning(one)) ? one : undefined)),
  );
  return checked.filter((one) => one !== undefined);
}

/** A negative pid is a process group. A process that is gone is what the signal asks for. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
