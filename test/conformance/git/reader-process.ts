import { createHash } from "node:crypto";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";

/** What the process is told, as JSON in its first argument. */
export type ReaderTask = {
  readonly options: RemoteOptions;
  readonly commit: string;
  readonly rounds: number;
};

/** Reads every file of a commit again and again, and prints a digest of what it saw for each round. */
const { options, commit, rounds } = JSON.parse(process.argv[2] ?? "") as ReaderTask;
for (let round = 0; round < rounds; round++) {
  const remote = openRemote({ ...options, onNotice: (sentence) => process.stderr.write(`${sentence}\n`) });
  const files = (await remote.files(commit, "")) ?? [];
  const contents = await remote.blobs(files.map(({ oid }) => oid));
  const digest = createHash("sha256");
  for (const { path, oid } of files) digest.update(`${path}\0`).update(contents.get(oid) ?? "missing");
  process.stdout.write(`${digest.digest("hex")}\n`);
}
