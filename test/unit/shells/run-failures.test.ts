import { expect, test } from "vitest";
import { failuresOf, noEnds, noteEnds } from "../../../src/shells/run-failures.ts";

type Pass = Parameters<typeof noteEnds>[0];

const plan = { revision: "c", steps: [], problems: [], wakeAtMs: undefined, waiting: [] };

/** A pass that has written that these sessions of namespace `app` failed. */
function failing(...names: readonly string[]): Pass["outcome"] {
  const results = names.map((name) => ({
    step: {
      kind: "status" as const,
      ref: { apiVersion: "core.kubestash.com/v1alpha1", kind: "BackupSession", namespace: "app", name },
      resourceVersion: "1",
      status: { phase: "Failed" },
      because: "",
    },
    result: "configured" as const,
  }));
  return { results, problems: [] };
}

function partialSnapshot(name: string, backupSession: string): Pass["plan"]["entries"][number] {
  const conditions = [
    { type: "Partial", status: "True", reason: "SomeDataMissing", message: "a file is gone" },
  ];
  return {
    path: `clusters/lab/snapshots/app/data/2026/11/20/${name}.yaml`,
    content: {
      kind: "Snapshot",
      metadata: { namespace: "app", name },
      spec: { backupSession },
      status: { conditions },
    },
  } as unknown as Pass["plan"]["entries"][number];
}

test("a session failed in part when a Snapshot that names it is partial, whatever the Snapshot is called", () => {
  const ends = noEnds();
  // The end of a long name is cut, and one session's name may end another's.
  const long = `orders-of-the-shop-${"very-".repeat(8)}long-1`;
  const entries = [
    partialSnapshot("data-orders-0123456789-long-1", long),
    partialSnapshot("data-big-web-1", "big-web-1"),
  ];
  noteEnds({ outcome: failing(long, "web-1"), plan: { ...plan, entries } }, ends);
  expect(failuresOf(ends).map(({ object, partial }) => [object, partial])).toEqual([
    [`BackupSession app/${long}`, true],
    ["BackupSession app/web-1", false],
  ]);
});
