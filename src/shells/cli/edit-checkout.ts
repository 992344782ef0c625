import { lstat, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { usage } from "./usage.ts";

/**
 * Rewrites one file of a working copy, whole and by renaming. `edit` answers the new content, or undefined to leave
 * the file. Answers whether it was written. What is no ordinary file below `root` is refused.
 */
export async function editCheckout(
  root: string,
  path: string,
  edit: (bytes: Uint8Array) => string | undefined,
): Promise<boolean> {
  const file = join(root, path);
  const info = await lstat(file).catch(() => undefined);
  if (info?.isFile() !== true || !(await isBelow(root, dirname(file))))
    throw usage(
      `${path} is no file of the working copy ${root}`,
      "check out the branch that declares it, or pass --commit",
    );
  const content = edit(await readFile(file));
  if (content === undefined) return false;
  const beside = join(dirname(file), `.holdfast-${process.pid}.tmp`);
  try {
    const handle = await open(beside, "wx", info.mode & 0o777);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true });
    throw usage(`${file} cannot be written: ${messageOf(cause)}`, "look at who may write there");
  }
  return true;
}

/** Where links really lead. */
async function isBelow(root: string, folder: string): Promise<boolean> {
  return !relative(await realpath(root), await realpath(folder)).startsWith("..");
}
