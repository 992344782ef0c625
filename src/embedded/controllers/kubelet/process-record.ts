import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { JsonObject } from "../../../base/json.ts";
import { isObject, numberAt, objectAt, textAt } from "../../value.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/**
 * What is on disk of a container's process. It is written before the process is started, so a kubelet that
 * finds none knows that nothing ever ran.
 */
export type ProcessRecord = {
  readonly restarts: number;
  readonly startedAt: string;
  /** Absent when the kubelet was killed between starting the process and writing this down. */
  readonly identity?: ProcessIdentity;
  /** The `state.terminated` of the container, once it has ended. */
  readonly terminated?: JsonObject;
};

export async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const value = parse(text);
  const pid = numberAt(value, "identity", "pid");
  const startTime = textAt(value, "identity", "startTime");
  const terminated = objectAt(value, "terminated");
  return {
    restarts: numberAt(value, "restarts") ?? 0,
    startedAt: textAt(value, "startedAt"),
    ...(pid === undefined ? {} : { identity: startTime === "" ? { pid } : { pid, startTime } }),
    ...(Object.keys(terminated).length === 0 ? {} : { terminated }),
  };
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // Cut off in the middle: something was started.
    return {};
  }
}

export async function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
