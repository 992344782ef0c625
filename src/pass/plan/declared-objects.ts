import { errorText, type FieldError } from "../../api/field-error.ts";
import { type KubeObject, keyOf, nameOf, refOf } from "../../api/meta.ts";
import { digestOf } from "../../base/digest.ts";
import type { Problem } from "../../base/problem.ts";
import type { DesiredObject } from "../desired/desired.ts";
import type { RestoreEntry } from "../record/recorded.ts";
import { changedSpec } from "./claim.ts";
import { contained } from "./contained.ts";
import { declaredRelationErrors, type Neighbours, neighboursIn } from "./declared-relations.ts";
import { driftOf } from "./drift.ts";
import type { Step } from "./step.ts";
import { isBeingDeleted, type World } from "./world.ts";

export const declaredIn = "holdfast.dev/declared-in";
export const declaredDigest = "holdfast.dev/declared-digest";

type Answer = { readonly steps: readonly Step[]; readonly problems: readonly Problem[] };

/** Declared objects that are absent, changed or drifted are applied; those of another manager are named. */
export function planDeclaredObjects(world: World): Answer {
  const failed: Problem[] = [];
  const neighbours = neighboursIn(world);
  const answers = [...world.desired.objects.values()].flatMap(
    (wanted) => contained(wanted.object, failed, () => planDeclared(wanted, neighbours, world)) ?? [],
  );
  return {
    steps: answers.flatMap(({ steps }) => steps),
    problems: [...answers.flatMap(({ problems }) => problems), ...failed],
  };
}

function planDeclared(wanted: DesiredObject, neighbours: Neighbours, world: World): Answer {
  const live = world.observed.get(refOf(wanted.object));
  const owner = live === undefined ? undefined : otherOwner(live);
  const refused = (...problems: readonly Problem[]) => ({ steps: [], problems });
  if (owner !== undefined) return refused(ownedByOther(wanted, owner));
  if (missingNamespace(wanted.object, world)) return refused(namespaceMissing(wanted));
  if (live !== undefined && changesClaimed(wanted, live, world))
    return refused(claimedAlready(wanted, world));
  const errors = declaredRelationErrors(wanted.object, live, neighbours, world);
  if (errors.length > 0) return refused(...errors.map((error) => refusedBeside(wanted, error, world)));
  const step = applyStep(wanted, live);
  return { steps: step === undefined ? [] : [step], problems: [] };
}

/** A restore ran, or runs, as it was claimed: another spec under its name does not even reach the object. */
function changesClaimed({ object }: DesiredObject, live: KubeObject, world: World): boolean {
  if (object.kind !== "RestoreSession") return false;
  const entry = claimOfDeclared(object, world);
  return (
    entry !== undefined &&
    entry.specDigest !== digestOf(object["spec"]) &&
    driftOf(object["spec"], live["spec"]).length > 0
  );
}

function claimOfDeclared({ metadata }: KubeObject, world: World): RestoreEntry | undefined {
  return world.recorded.restore(metadata.namespace ?? "", metadata.name);
}

function claimedAlready({ object, place }: DesiredObject, world: World): Problem {
  const entry = claimOfDeclared(object, world);
  const said = entry === undefined ? { message: "it is claimed already" } : changedSpec(object, entry);
  return { severity: "error", reason: "SpecChanged", ...said, object: nameOf(refOf(object)), place };
}

function refusedBeside({ object, place }: DesiredObject, error: FieldError, world: World): Problem {
  const { reason, next, other } = error;
  const elsewhere = other === undefined ? undefined : world.desired.objects.get(keyOf(other))?.place;
  const where = elsewhere === undefined ? "" : ` (${elsewhere.path}:${elsewhere.line})`;
  const said = { severity: "error", reason, message: `${errorText(error)}${where}` } as const;
  return { ...said, object: nameOf(refOf(object)), place, ...(next === undefined ? {} : { next }) };
}

function missingNamespace(object: KubeObject, world: World): boolean {
  const { namespace } = object.metadata;
  if (namespace === undefined) return false;
  const found = world.observed.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
  return found === undefined || isBeingDeleted(found);
}

function applyStep(wanted: DesiredObject, live: KubeObject | undefined): Step | undefined {
  const { object } = wanted;
  if (live === undefined) {
    const because = `${wanted.place.path}:${wanted.place.line} declares it`;
    return { kind: "apply", object, change: "create", drift: [], because };
  }
  if (isBeingDeleted(live)) return undefined;
  const drift = driftOf(object, live);
  const known = live.metadata.annotations?.[declaredDigest] === object.metadata.annotations?.[declaredDigest];
  if (known && drift.length === 0) return undefined;
  const because = known
    ? `drift: ${drift.join(", ")} differ from ${wanted.place.path}:${wanted.place.line}`
    : `${wanted.place.path}:${wanted.place.line} changed it`;
  return { kind: "apply", object, change: "configure", drift: known ? drift : [], because };
}

/** What another manager has taken over meanwhile was moved, and is that one's to delete. */
function isOrphan(object: KubeObject, { desired }: World): boolean {
  return (
    object.metadata.annotations?.[declaredIn]?.startsWith(`${desired.cluster}/`) === true &&
    !isBeingDeleted(object) &&
    !desired.objects.has(keyOf(refOf(object))) &&
    otherOwner(object) === undefined
  );
}

/**
 * Objects of this cluster's folder whose document is gone. Nothing is pruned when a document could not be
 * read, or when nothing at all is declared: an emptied folder is more often an accident than a wish.
 */
export function planPrune(world: World): Answer {
  const problems: Problem[] = [];
  const orphans = declarableKinds
    .flatMap((kind) => world.observed.list(kind))
    .filter((object) => contained(object, problems, () => isOrphan(object, world)));
  const held = orphans.length === 0 ? undefined : whyHeld(world);
  if (held !== undefined)
    return { steps: [], problems: [...problems, pruneHeld(orphans.length, held.because, held.next)] };
  return {
    problems,
    steps: orphans.map((object) => ({
      kind: "delete",
      ref: refOf(object),
      uid: object.metadata.uid ?? "",
      because: `${object.metadata.annotations?.[declaredIn]} no longer declares it; its backup data stays`,
    })),
  };
}

function whyHeld({ desired }: World): { readonly because: string; readonly next: string } | undefined {
  if (!desired.complete) return { because: "a document could not be read", next: "mend it" };
  if (desired.objects.size > 0) return undefined;
  return {
    because: "nothing is declared any more",
    next: "delete the objects with kubectl if that is meant",
  };
}

const declarableKinds = [
  "RestoreSession",
  "BackupConfiguration",
  "RetentionPolicy",
  "BackupStorage",
  "HookTemplate",
  "BackupBlueprint",
  "BackupBatch",
  "BackupVerifier",
  "Addon",
  "Function",
] as const;

/** Argo CD, Flux and Helm say on the object that it is theirs. */
function otherOwner(object: KubeObject): string | undefined {
  const labels = object.metadata.labels ?? {};
  const annotations = object.metadata.annotations ?? {};
  if (annotations["argocd.argoproj.io/tracking-id"] || labels["argocd.argoproj.io/instance"])
    return "Argo CD";
  if (labels["kustomize.toolkit.fluxcd.io/name"] || labels["helm.toolkit.fluxcd.io/name"]) return "Flux";
  if (annotations["meta.helm.sh/release-name"] || labels["app.kubernetes.io/managed-by"] === "Helm")
    return "Helm";
  return undefined;
}

function ownedByOther(wanted: DesiredObject, owner: string): Problem {
  return {
    severity: "warning",
    reason: "OwnedByOther",
    message: `it is managed by ${owner}, so it is left alone`,
    object: nameOf(refOf(wanted.object)),
    place: wanted.place,
    next: `declare it in one place: here or in ${owner}`,
  };
}

function namespaceMissing(wanted: DesiredObject): Problem {
  return {
    severity: "error",
    reason: "NamespaceNotFound",
    message: `namespace ${wanted.object.metadata.namespace} does not exist`,
    object: nameOf(refOf(wanted.object)),
    place: wanted.place,
    next: "create the namespace; Holdfast does not make namespaces for declared objects",
  };
}

function pruneHeld(count: number, why: string, next: string): Problem {
  const message = `${count} object(s) are no longer declared and were not removed, because ${why}`;
  return { severity: "warning", reason: "PruneHeld", message, next };
}
