import { open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Clock } from "../../../base/clock.ts";
import type { LogSource } from "../../cluster.ts";
import { isObject, listAt, textAt } from "../../value.ts";
import type { Client } from "../client.ts";
import { isTerminal } from "../owned-pods.ts";
import { resources } from "../resources.ts";
import { previousLog, startOfTail } from "./log-file.ts";
import { podDirectory } from "./pod-directory.ts";

const pollMs = 200;
const chunkBytes = 64 * 1024;

/** Reads the logs that the kubelet wrote below its state directory. */
export function createPodLog(client: Client, clock: Clock, stateDirectory: string): LogSource {
  return async (query, signal) => {
    const { namespace, pod: name, container, previous = false } = query;
    const follow = query.follow === true && !previous;
    const pod = await client.get(resources.pods, { namespace, name });
    if (pod === undefined) return undefined;
    const log = podDirectory(stateDirectory, pod).logOf(container);
    const path = previous ? previousLog(log) : log;
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
    const { tailLines, limitBytes = Number.POSITIVE_INFINITY } = query;
    const text = read(path, { follow, tailLines, ended, clock, signal });
    return Readable.from(limited(text, limitBytes), { objectMode: false });
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function* limited(text: AsyncGenerator<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of text) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

type Following = {
  readonly follow: boolean;
  readonly tailLines: number | undefined;
  readonly ended: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** The set-aside part first, then the rest; a rotation while it is followed is seen by the file's number. */
async function* read(path: string, following: Following): AsyncGenerator<Buffer> {
  const start = await startOfTail(path, following.tailLines);
  if (start.before !== undefined) yield* chunks(`${path}.1`, start.before);
  let offset = start.offset;
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
