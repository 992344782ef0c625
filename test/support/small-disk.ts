import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own that holds little, in memory. */
export type SmallDisk = {
  readonly path: string;
  /** Takes all room but so many bytes, until `makeRoom`. */
  fill(leaving?: number): void;
  makeRoom(): void;
  unmount(): void;
};

const filler = "filler";
const page = 4096;

export function mountSmallDisk(path: string, bytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path);
  const makeRoom = () => rmSync(join(path, filler), { force: true });
  return {
    path,
    fill(leaving = 0) {
      makeRoom();
      const { bavail, bsize } = statfsSync(path);
      const file = openSync(join(path, filler), "w");
      for (let left = bavail * bsize - leaving; left >= page; left -= page)
        writeSync(file, Buffer.alloc(page));
      closeSync(file);
    },
    makeRoom,
    // Whoever still stands in it does not keep the rest of the test from going.
    unmount: () => run("umount", "--lazy", path),
  };
}

/** Whether this process may mount; says loudly when it may not, and with `CI=true` throws, as for a missing part. */
export function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  try {
    mountSmallDisk(path, page).unmount();
    return true;
  } catch (error) {
    const message = `no disk can be full: ${String(error)}; run these tests as root`;
    if (process.env["CI"] === "true") throw new Error(message);
    process.stderr.write(`\nSKIPPED TESTS\n${message}\n\n`);
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}
