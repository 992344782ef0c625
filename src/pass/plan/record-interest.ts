import { daysFolder, entryPath, hasEntryPath } from "../../api/record-layout.ts";
import type { Desired } from "../desired/desired.ts";
import type { Observed } from "../observed/observed.ts";
import type { RecordInterest } from "../record/recorded.ts";
import { recordedKinds } from "./entries.ts";
import type { OutboxItem } from "./outbox.ts";

/**
 * What the plan will ask the record about: entries of what is there or waits in the outbox, claims of what is
 * declared, and the days of every parent, of which those leave whose objects are gone.
 */
export function recordInterest(
  desired: Desired,
  observed: Observed,
  outbox: readonly OutboxItem[],
): RecordInterest {
  const { cluster } = desired;
  const present = recordedKinds.flatMap((kind) => observed.list(kind));
  const restores = [...desired.objects.values()]
    .map(({ object }) => object)
    .filter(({ kind }) => kind === "RestoreSession");
  const recordable = [...present, ...restores].filter(hasEntryPath);
  return {
    paths: new Set([
      ...recordable.map((object) => entryPath(cluster, object)),
      ...outbox.map(({ entry }) => entry.path),
    ]),
    parents: new Set(present.flatMap((object) => daysFolder(cluster, object) ?? [])),
  };
}
