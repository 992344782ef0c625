import { lstat } from "node:fs/promises";
import type { Proof } from "../api/snapshot.ts";
import { HoldfastError } from "../base/errors.ts";
import type { BackupSummary, ResticRepository, ResticSnapshot } from "../ports/restic/restic.ts";
import type { JobContext } from "./job-context.ts";
import { onThisMachine } from "./pod-path.ts";

export type ProvenSnapshot = Proof["snapshots"][number];

/**
 * What a restic snapshot is held against.
 * - `tree`: a folder that stands still; the snapshot must hold exactly its files, at their sizes.
 * - `volume`: a folder in use; the path must be there with as many files as restic says that it saved.
 */
export type Expectation = { readonly kind: "tree"; readonly files: number } | { readonly kind: "volume" };

type ProofContext = Pick<JobContext, "restic" | "root" | "signal">;

type Saved = { readonly path: string; readonly summary: BackupSummary; readonly expect: Expectation };

/**
 * Success is proven and not assumed: the snapshot is listed again by its id, and what it holds is counted.
 * Throws `NotProven`, in which case the backup failed whatever restic's exit code was.
 */
export async function proveSnapshot(
  context: ProofContext,
  repository: ResticRepository,
  saved: Saved,
): Promise<ProvenSnapshot> {
  const { path, summary, expect } = saved;
  const { listed, found } = await readAgain(context, repository, saved);
  if (!found.path) throw notProven(path, `snapshot ${listed.id} does not hold ${path}`);
  const expected = expect.kind === "tree" ? expect.files : summary.files;
  if (found.files !== expected) {
    throw notProven(path, `snapshot ${listed.id} holds ${found.files} files of ${expected}`);
  }
  const { files, directories, bytes } = found;
  return { id: listed.id, tree: listed.tree, hostPath: path, files, directories, bytes };
}

async function readAgain(
  context: ProofContext,
  repository: ResticRepository,
  { path, summary, expect }: Saved,
) {
  let listed: ResticSnapshot | undefined;
  const onSnapshot = (snapshot: ResticSnapshot) => {
    listed = snapshot;
  };
  const found = { path: false, files: 0, directories: 0, bytes: 0 };
  const options = { onSnapshot, signal: context.signal };
  try {
    for await (const node of context.restic.list(repository, summary.snapshotId, path, options)) {
      if (node.path === path) found.path = true;
      if (node.type === "dir") found.directories += 1;
      if (node.type !== "file") continue;
      found.files += 1;
      found.bytes += node.sizeBytes;
      if (expect.kind === "tree") await sameOnDisk(context, node);
    }
  } catch (thrown) {
    const isAbsent = thrown instanceof HoldfastError && thrown.reason === "SnapshotNotFound";
    // One that vanishes while it is listed says nothing of what it held.
    if (!isAbsent || listed !== undefined) throw thrown;
  }
  if (listed === undefined || !listed.id.startsWith(summary.snapshotId))
    throw notProven(path, `restic does not list snapshot ${summary.snapshotId} again`);
  return { listed, found };
}

async function sameOnDisk(
  context: ProofContext,
  node: { readonly path: string; readonly sizeBytes: number },
): Promise<void> {
  const size = await lstat(onThisMachine(context.root, node.path)).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === node.sizeBytes) return;
  throw notProven(node.path, `the snapshot holds ${node.sizeBytes} bytes of it, the disk ${size ?? "none"}`);
}

function notProven(path: string, why: string): HoldfastError {
  return new HoldfastError("NotProven", `the backup of ${path} is not proven: ${why}`, {
    disposition: "retry",
    next: "Run the backup again; check the repository with `restic check --read-data` if it happens twice.",
  });
}
