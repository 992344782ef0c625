import { open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Clock } from "../../../base/clock.ts";
import { isObject, listAt, textAt } from "../../value.ts";
import type { Client } from "../client.ts";
import { isTerminal } from "../owned-pods.ts";
import { resources } from "../resources.ts";
import { podDirectory } from "./pod-directory.ts";

export type PodLogQuery = {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Goes on until the container has ended. */
  readonly follow: boolean;
};

/** The text of a container's log as a stream; undefined when no process of it has written here. */
export type PodLog = (query: PodLogQuery, signal: AbortSignal) => Promise<Readable | undefined>;

const pollMs = 200;
const chunkBytes = 64 * 1024;

export function createPodLog(client: Client, clock: Clock, stateDirectory: string): PodLog {
  return async ({ namespace, pod: name, container, follow }, signal) => {
    const pod = await client.get(resources.pods, { namespace, name });
    if (pod === undefined) return undefined;
    const path = podDirectory(stateDirectory, pod).logOf(container);
    if (!(await exists(path))) return undefined;
    const ended = async () => {
      const now = await client.get(resources.pods, { namespace, name });
      if (now === undefined || now.metadata.uid !== pod.metadata.uid || isTerminal(now)) return true;
      const statuses = [
        ...listAt(now, "status", "initContainerStatuses"),
        ...listAt(now, "status", "containerStatuses"),
      ];
      const status = statuses.find((one) => textAt(one, "name") === container);
      return isObject(status) && isObject(status["state"]) && isObject(status["state"]["terminated"]);
    };
    return Readable.from(read(path, { follow, ended, clock, signal }), { objectMode: false });
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

type Following = {
  readonly follow: boolean;
  readonly ended: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** The set-aside part first, then the rest; a rotation while it is followed is seen by the file's number. */
async function* read(path: string, following: Following): AsyncGenerator<Buffer> {
  if (await exists(`${path}.1`)) yield* chunks(`${path}.1`, 0);
  let offset = 0;
  let inode = await inodeOf(path);
  for (;;) {
    const over = !following.follow || following.signal.aborted || (await following.ended());
    const now = await inodeOf(path);
    if (now !== inode) {
      yield* chunks(`${path}.1`, offset);
      inode = now;
      offset = 0;
    }
    for await (const chunk of chunks(path, offset)) {
      offset += chunk.length;
      yield chunk;
    }
    if (over) return;
    await following.clock.sleep(pollMs, following.signal);
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.ino;
}

async function* chunks(path: string, from: number): AsyncGenerator<Buffer> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return;
  try {
    for (let offset = from; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset);
      if (bytesRead === 0) return;
      offset += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
