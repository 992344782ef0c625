import { systemClock } from "../../../src/base/clock.ts";
import { readRecord } from "../../../src/pass/record/read-record.ts";
import { writeRecord } from "../../../src/pass/record/write-record.ts";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { answer, peakMiB, task } from "./task.ts";

type Task = {
  readonly remote: Pick<RemoteOptions, "url" | "cacheDirectory"> & {
    readonly credentials: { readonly username: string; readonly password: string };
  };
  readonly target: Parameters<typeof readRecord>[1];
  readonly entry: { readonly path: string; readonly content: Readonly<Record<string, unknown>> };
};

const { remote: options, target, entry } = await task<Task>();
const remote = openRemote(options);
const signal = AbortSignal.timeout(600_000);
const parent = entry.path.split("/").slice(0, -4).join("/");
const interest = { paths: new Set([entry.path]), parents: new Set([parent]) };
const seen = await readRecord(remote, target, { interest, signal });
const result = await writeRecord(
  { remote, clock: systemClock, signal },
  {
    target,
    seen,
    entries: [{ ...entry, when: "now", summary: "backup shop/orders: Succeeded" }],
    flush: true,
    version: "bench",
    declaredCommit: "0".repeat(40),
  },
);
answer({ result: result.kind, peakMiB: peakMiB() });
