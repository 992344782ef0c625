import type { KubeObject } from "../../api/meta.ts";
import { moverManager } from "../job-context.ts";
import { fieldAt, textAt } from "../storage/fields.ts";

/** Clocks of the pod and of the API server may differ that much. */
const skewMs = 60_000;

/** Whether a restore, this or an earlier one, wrote the live object. */
export function isMadeByRestore(live: KubeObject): boolean {
  return entriesOf(live).length > 0;
}

/** Whether a restore wrote into it since then. */
export function isWrittenSince(live: KubeObject, sentAtMs: number): boolean {
  return entriesOf(live).some((entry) => Date.parse(textAt(entry, "time") ?? "") >= sentAtMs - skewMs);
}

function entriesOf(live: KubeObject): readonly unknown[] {
  return (live.metadata.managedFields ?? []).filter(
    (entry) =>
      fieldAt(entry, "manager") === moverManager &&
      fieldAt(entry, "operation") === "Update" &&
      fieldAt(entry, "subresource") === undefined,
  );
}

/** Whether the live object came from a request that was sent then and whose answer was lost. */
export function isMadeSince(live: KubeObject, sentAtMs: number): boolean {
  const createdAt = Date.parse(live.metadata.creationTimestamp ?? "");
  // An object without content has no managers.
  const ours = isMadeByRestore(live) || (live.metadata.managedFields ?? []).length === 0;
  return ours && createdAt >= sentAtMs - skewMs;
}
