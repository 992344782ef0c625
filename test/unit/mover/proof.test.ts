import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { type ProvenSnapshot, proveSnapshot } from "../../../src/mover/proof.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";

const id = "ab".repeat(32);
const listed = JSON.stringify({
  struct_type: "snapshot",
  id,
  tree: "cd".repeat(32),
  time: "2026-01-01T00:00:00Z",
  paths: ["/data"],
  hostname: "h",
  tags: [],
});
const gone = `echo 'Fatal: failed to load snapshot ${id.slice(0, 8)}: no such file or directory' >&2; exit 1`;

/** Proves a backup with a restic that says this. */
function proofWith(lines: string): Promise<ProvenSnapshot> {
  const root = mkdtempSync(join(tmpdir(), "holdfast-proof-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const command = join(root, "restic");
  writeFileSync(command, `#!/bin/sh\n[ "$1" = version ] && { echo restic 0.19.1; exit 0; }\n${lines}\n`);
  chmodSync(command, 0o755);
  const restic = createRestic({
    command,
    environment: { PATH: process.env["PATH"] ?? "" },
    clock: systemClock,
  });
  const summary = {
    snapshotId: id,
    partial: false,
    unread: [],
    files: 0,
    bytes: 0,
    bytesAdded: 0,
    dataBlobs: 0,
    filesNew: 0,
    directories: 0,
    startedAt: "2026-01-01T00:00:00Z",
    endedAt: "2026-01-01T00:00:01Z",
  };
  return proveSnapshot(
    { restic, root, signal: AbortSignal.timeout(60_000) },
    { url: "s3:http://store/bucket", password: "the-password", environment: {} },
    { path: "/data", summary, expect: { kind: "volume" } },
  );
}

test("a backup whose snapshot restic does not find is not proven", async () => {
  await expect(proofWith(gone)).rejects.toMatchObject({
    reason: "NotProven",
    message: expect.stringContaining("does not list snapshot"),
  });
});

test("a snapshot that vanishes while it is listed is told as restic does, and not as one of too few files", async () => {
  const held = JSON.stringify({ struct_type: "node", type: "dir", path: "/data", name: "data" });
  await expect(proofWith(`echo '${listed}'; echo '${held}'; ${gone}`)).rejects.toMatchObject({
    reason: "SnapshotNotFound",
    message: expect.stringContaining("failed to load snapshot"),
  });
});
