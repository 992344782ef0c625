import { groupOf } from "../../api/meta.ts";
import { nearestName } from "../../base/nearest-name.ts";

/** A kind that may be declared. */
export type OwnKind = { readonly group: string; readonly kind: string; readonly namespaced: boolean };

/** Whose object a document is. */
export type Claim =
  | { readonly whose: "ours"; readonly kind: OwnKind }
  | { readonly whose: "others" }
  /** It means to be ours and is not: a typing mistake, or a kind that is not there yet. */
  | { readonly whose: "nobody"; readonly message: string; readonly next: string };

const version = "v1alpha1";

const storage = "storage.kubestash.com";
const core = "core.kubestash.com";
const addons = "addons.kubestash.com";
const ownKinds: readonly OwnKind[] = [
  { group: storage, kind: "BackupStorage", namespaced: true },
  { group: storage, kind: "RetentionPolicy", namespaced: true },
  { group: core, kind: "BackupConfiguration", namespaced: true },
  { group: core, kind: "RestoreSession", namespaced: true },
  { group: addons, kind: "Addon", namespaced: false },
  { group: addons, kind: "Function", namespaced: false },
];

export function claimOf(apiVersion: string | undefined, kind: string | undefined): Claim {
  const group = apiVersion === undefined ? undefined : groupOf(apiVersion);
  const groups = [...new Set(ownKinds.map((own) => own.group))];
  if (group !== undefined && groups.includes(group)) return ofOurGroup(group, apiVersion ?? "", kind);
  const byKind = ownKinds.find((own) => own.kind === kind);
  if (apiVersion === undefined) {
    if (byKind === undefined) return { whose: "others" };
    return nobody(`apiVersion is missing`, `Write apiVersion: ${byKind.group}/${version}.`);
  }
  const near = group === undefined ? undefined : nearestName(group, groups);
  if (group?.endsWith(".kubestash.com") || (byKind !== undefined && near !== undefined)) {
    const meant = near ?? byKind?.group;
    const next =
      meant === undefined ? `Take it out; the groups are ${groups.join(", ")}.` : `Did you mean ${meant}?`;
    return nobody(`the API group ${group} is not known`, next);
  }
  return { whose: "others" };
}

function ofOurGroup(group: string, apiVersion: string, kind: string | undefined): Claim {
  const kinds = ownKinds.filter((own) => own.group === group).map((own) => own.kind);
  if (kind === undefined) return nobody("kind is missing", `Kinds of ${group}: ${kinds.join(", ")}.`);
  const own = ownKinds.find((each) => each.group === group && each.kind === kind);
  if (own === undefined)
    return nobody(`${group} has no kind ${kind} that can be declared`, kindHint(kind, kinds));
  if (apiVersion !== `${group}/${version}`) {
    return nobody(`${apiVersion} is not a version of ${kind}`, `Write apiVersion: ${group}/${version}.`);
  }
  return { whose: "ours", kind: own };
}

function kindHint(kind: string, ofGroup: readonly string[]): string {
  const elsewhere = ownKinds.find((own) => own.kind === kind);
  if (elsewhere !== undefined) return `Write apiVersion: ${elsewhere.group}/${version}.`;
  const near = nearestName(kind, ofGroup);
  return near === undefined
    ? `Take it out; kinds of this group: ${ofGroup.join(", ")}.`
    : `Did you mean ${near}?`;
}

function nobody(message: string, next: string): Claim {
  return { whose: "nobody", message, next };
}
