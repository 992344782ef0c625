import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

const maxBytes = 4096;

/**
 * Writes what the kubelet shows as the container's termination message: at most 4 KiB, the end of the text.
 * In a real pod the file is there already; without it (run by hand) nothing is written into /dev.
 */
export async function writeTerminationMessage(root: string, text: string): Promise<void> {
  const file = join(root === "" ? "/" : root, "dev", "termination-log");
  const isHostRoot = root === "" || root === "/";
  if (isHostRoot && !(await exists(file))) return;
  if (!isHostRoot) await mkdir(join(root, "dev"), { recursive: true });
  await writeFile(file, lastBytes(text));
}

function lastBytes(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return bytes;
  let start = bytes.length - maxBytes;
  // Not in the middle of a character.
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
