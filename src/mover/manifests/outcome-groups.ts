import type { RestoreResults } from "../../api/restore-session.ts";
import type { ObjectOutcome } from "./object-outcome.ts";

type Did = ObjectOutcome["did"];
type Group = NonNullable<RestoreResults["objects"]>[number];

/** RestoreSession.status.components[].results, without files and bytes. */
export type ManifestResults = Omit<RestoreResults, "files" | "bytes">;

export type OutcomeGroups = {
  add(outcome: ObjectOutcome): void;
  /** How many there are of each. */
  counts(): Omit<ManifestResults, "objects" | "unlisted">;
  /** The same with the groups, as much of them as fits 256 KiB of JSON. */
  results(): ManifestResults;
};

/** An object of Kubernetes has 1.5 MiB at most, and so has its entry in the record 1 MiB. */
const maxBytes = 256 * 1024;

/** What a person has to look at comes first, and is cut last. */
const order: readonly Did[] = ["failed", "conflict", "updated", "skipped", "created", "same"];

/** Objects of one type of which the same became for the same reason are one group. */
export function createOutcomeGroups(): OutcomeGroups {
  const totals: Record<Did, number> = { failed: 0, conflict: 0, updated: 0, skipped: 0, created: 0, same: 0 };
  // No more can be shown of one outcome, so no more of it is kept.
  const room = new Map(order.map((did) => [did, maxBytes]));
  const groups = new Map<string, Group & { count: number; readonly names: string[] }>();
  const counts: OutcomeGroups["counts"] = () => {
    const { created, updated, same: unchanged, conflict: conflicts, skipped, failed } = totals;
    return { created, updated, unchanged, conflicts, skipped, failed };
  };
  return {
    counts,
    add(outcome) {
      const { type, did } = outcome;
      totals[did] += 1;
      const reason = reasonIn(outcome);
      const key = JSON.stringify([did, type, reason]);
      const known = groups.get(key);
      const name = nameIn(outcome);
      const fresh = { type, did, ...(reason === "" ? {} : { reason }), count: 0, names: [] };
      const left = (room.get(did) ?? 0) - bytesOf(name) - (known === undefined ? bytesOf(fresh) : 0);
      if (known !== undefined) known.count += 1;
      if (left < 0) return;
      room.set(did, left);
      if (known === undefined) groups.set(key, { ...fresh, count: 1, names: [name] });
      else known.names.push(name);
    },
    results() {
      const objects = fitting([...groups.values()].sort(byOrder));
      const total = Object.values(totals).reduce((sum, one) => sum + one, 0);
      const unlisted = objects.reduce((left, { names }) => left - names.length, total);
      return {
        ...counts(),
        ...(objects.length === 0 ? {} : { objects }),
        ...(unlisted === 0 ? {} : { unlisted }),
      };
    },
  };
}

/** `deployments.apps shop/web: why`: the first failures, for a message. */
export function failuresIn({ failed, objects = [] }: RestoreResults): string | undefined {
  if (failed === 0) return undefined;
  const named = objects
    .filter(({ did }) => did === "failed")
    .flatMap(({ type, reason, names }) => names.map((name) => `${type} ${name}: ${reason ?? "unknown"}`));
  return `${failed} not restored: ${named.slice(0, 3).join("; ")}${failed > 3 ? "; …" : ""}`;
}

function reasonIn({ reason, notes = [] }: ObjectOutcome): string {
  return [...(reason === undefined ? [] : [reason]), ...notes].join("; ");
}

function nameIn({ namespace, name }: ObjectOutcome): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function byOrder(a: Group, b: Group): number {
  const rank = order.indexOf(a.did) - order.indexOf(b.did);
  if (rank !== 0) return rank;
  return compare(a.type, b.type) || compare(a.reason ?? "", b.reason ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fitting(groups: readonly Group[]): Group[] {
  let left = maxBytes;
  const fit: Group[] = [];
  for (const group of groups) {
    left -= bytesOf({ ...group, names: [] });
    const names: string[] = [];
    for (const name of group.names.toSorted(compare)) {
      left -= bytesOf(name);
      if (left < 0) break;
      names.push(name);
    }
    if (left < 0 && names.length === 0) break;
    fit.push({ ...group, names });
    if (left < 0) break;
  }
  return fit;
}

/** As JSON, with a comma. */
function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}
