import { open } from "node:fs/promises";
import { tailOfLog } from "./log-file.ts";

const maxMessageBytes = 4_096;
const maxLogTailBytes = 2_048;
const maxLogTailLines = 80;

/**
 * What a container left as its last words: the last 4 KiB of its message file, or, when it wrote none and
 * `fromLogs` holds, the last 80 lines and 2 KiB of its log (the limits of Kubernetes).
 */
export async function terminationMessage(request: {
  readonly path: string;
  readonly logPath: string;
  readonly fromLogs: boolean;
}): Promise<string> {
  const written = await endOf(request.path);
  if (written !== "" || !request.fromLogs) return written;
  const tail = await tailOfLog(request.logPath, maxLogTailBytes);
  return tail
    .split("\n")
    .slice(-maxLogTailLines - 1)
    .join("\n");
}

async function endOf(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, maxMessageBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}
