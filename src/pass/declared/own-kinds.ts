import { kinds } from "../../api/kinds.ts";
import { apiVersionOf, groupOf, type Resource } from "../../api/meta.ts";
import { nearestName } from "../../base/nearest-name.ts";

/** Whose object a document is. */
export type Claim =
  | { readonly whose: "ours"; readonly resource: Resource }
  | { readonly whose: "others" }
  /** It means to be ours and cannot be taken: a typing mistake, or a kind that is not declared in Git. */
  | { readonly whose: "nobody"; readonly message: string; readonly next: string };

const resources: readonly Resource[] = kinds.map(({ resource }) => resource);
const groups: readonly string[] = [...new Set(resources.map(({ group }) => group))];

/** Kinds that come about by themselves, and what to do instead of declaring one. */
const madeByHoldfast: Readonly<Record<string, string>> = {
  Repository: "Name it in spec.sessions[].repositories of a BackupConfiguration.",
  Snapshot: "Declare its BackupStorage: Snapshots come back from the storage by themselves.",
  BackupVerificationSession: "A BackupVerifier makes them, and this release does not act on those.",
  BackupSession: "Use `holdfast backup`, or give the BackupConfiguration's session a schedule.",
};

export function claimOf(apiVersion: string | undefined, kind: string | undefined): Claim {
  const odd = foreignCharacter(`${apiVersion ?? ""}${kind ?? ""}`);
  if (odd !== undefined) {
    return nobody(
      `apiVersion or kind holds the character ${odd}, which no name of Kubernetes has`,
      "Type both again; look-alikes of Latin letters and characters without width are easily pasted.",
    );
  }
  const byKind = resources.find((resource) => resource.kind === kind);
  if (apiVersion === undefined) {
    if (byKind === undefined) return { whose: "others" };
    return nobody("apiVersion is missing", `Write apiVersion: ${apiVersionOf(byKind)}.`);
  }
  const group = groupOf(apiVersion);
  if (groups.includes(group)) return ofOurGroup(group, apiVersion, kind);
  const near = nearestName(group, groups);
  if (group.endsWith(".kubestash.com") || (byKind !== undefined && near !== undefined)) {
    const meant = byKind?.group ?? near;
    const next =
      meant === undefined ? `Take it out; the groups are ${groups.join(", ")}.` : `Did you mean ${meant}?`;
    return nobody(`the API group ${group} is not known`, next);
  }
  return { whose: "others" };
}

function ofOurGroup(group: string, apiVersion: string, kind: string | undefined): Claim {
  const ofGroup = resources.filter((resource) => resource.group === group);
  const names = () =>
    ofGroup.map((resource) => resource.kind).filter((name) => !Object.hasOwn(madeByHoldfast, name));
  if (kind === undefined) return nobody("kind is missing", `Kinds of ${group}: ${names().join(", ")}.`);
  const resource = ofGroup.find((each) => each.kind === kind);
  if (resource === undefined)
    return nobody(`${group} has no kind ${kind} in this version`, kindHint(kind, names()));
  if (apiVersion !== apiVersionOf(resource)) {
    return nobody(
      `${apiVersion} is not a version of ${kind}`,
      `Write apiVersion: ${apiVersionOf(resource)}.`,
    );
  }
  const instead = madeByHoldfast[kind];
  return instead === undefined
    ? { whose: "ours", resource }
    : nobody(`a ${kind} is not declared in Git`, instead);
}

function kindHint(kind: string, ofGroup: readonly string[]): string {
  const elsewhere = resources.find((resource) => resource.kind === kind);
  if (elsewhere !== undefined) return `Write apiVersion: ${apiVersionOf(elsewhere)}.`;
  const near = nearestName(kind, ofGroup);
  return near === undefined
    ? `Take it out; kinds of this group: ${ofGroup.join(", ")}.`
    : `Did you mean ${near}?`;
}

/** The first character beyond ASCII, as U+XXXX. */
export function foreignCharacter(text: string): string | undefined {
  const code = /[^\x00-\x7F]/u.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

function nobody(message: string, next: string): Claim {
  return { whose: "nobody", message, next };
}
