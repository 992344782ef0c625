import { basename } from "node:path";
import type { KubeObject, OwnerReference } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { createObject, type WriteResult } from "./create-object.ts";
import { type DecideOptions, decide, reasonToSkipType } from "./decide.ts";
import { createOwnerFinder } from "./find-owner.ts";
import { isMadeByRestore } from "./made-by-restore.ts";
import type { ManifestFilter } from "./manifest-filter.ts";
import { listFolders, type ManifestFolder, type ManifestPlace, walkFolders } from "./manifest-tree.ts";
import { createNamespaceKeeper, type NamespaceKeeper } from "./namespace-keeper.ts";
import type { ObjectOutcome } from "./object-outcome.ts";
import { createDryRunWriter, createObjectWriter, type ObjectWriter } from "./object-writer.ts";
import type { PrepareOptions } from "./prepare-object.ts";
import { readManifest } from "./read-manifest.ts";
import { mergeOwners, type Orphan, relinkOwners, withoutItsOwners } from "./relink-owners.ts";
import { createReservedVolumes, type ReservedVolumes } from "./reserved-volumes.ts";
import { byRestoreOrder } from "./restore-order.ts";
import { readServedTypes, type ServedTypes } from "./served-types.ts";
import { createServerAnswers, notTried, type ServerAnswers } from "./server-answers.ts";

const passes = 5;
/** Nothing comes between the passes of a dry run but an answer. */
const dryPasses = 2;
const crds = "customresourcedefinitions.apiextensions.k8s.io";
const objectsAtOnce = 8;
const maxReasonLength = 400;
/** A server that comes up again needs longer than an object that another one needs. */
const outageWaitMs = 10_000;

export type RestoreManifests = {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly filter: ManifestFilter;
  /** Folder with `<group-resource>/…` */
  readonly tree: string;
  readonly override: boolean;
  /** Changes nothing and tells what a restore would do; an owner that would only come is not looked for. */
  readonly dryRun?: boolean;
  readonly prepare: Omit<PrepareOptions, "move">;
  /** Namespace for all namespaced objects instead of their own. */
  readonly intoNamespace?: string;
  /** What is told of values in Secrets that change; nothing without it. */
  readonly showSecret?: (value: unknown) => string;
  readonly onOutcome: (outcome: ObjectOutcome) => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

type Run = RestoreManifests & {
  readonly options: DecideOptions;
  readonly writer: ObjectWriter;
  readonly types: ServedTypes;
  readonly namespaces: NamespaceKeeper;
  readonly answers: ServerAnswers;
  readonly volumes: ReservedVolumes;
  /** What failed and is tried again; told when nothing is left to try. */
  readonly open: Map<ManifestPlace, Attempt>;
  readonly orphans: Set<Orphan>;
  /** CustomResourceDefinitions that were written in this pass. */
  readonly newTypes: KubeObject[];
};

type Attempt = {
  readonly outcome: ObjectOutcome;
  /** When its request was sent that got no answer first: it may have been carried out since. */
  readonly sentAtMs: number | undefined;
};

type Named = Pick<ObjectOutcome, "type" | "namespace" | "name">;

/**
 * Restores a tree in up to five passes: types that others need first, what failed again in the next pass
 * (what it needs may have come), and the owners at the end. Objects that exist stay, unless `override`.
 * What became of each goes to `onOutcome`, also when the restore ends early: then an object that was not tried is
 * not told. What is remembered grows with what failed and what had owners, not with what was restored.
 */
export async function restoreManifests(request: RestoreManifests): Promise<void> {
  const folders = (await listFolders(request.tree)).toSorted(byRestoreOrder);
  const run = await startRun(request, folders);
  try {
    run.answers.answered();
    for (const ofType of Map.groupBy(folders, ({ type }) => type).values()) {
      await restoreType(run, walkFolders(ofType));
    }
    await tryAgain(run);
    run.answers.beginPass();
    await relinkOwners({ ...run, findOwner: createOwnerFinder(run) });
  } finally {
    for (const { outcome } of run.open.values()) run.onOutcome(outcome);
    for (const orphan of run.orphans) run.onOutcome(withoutItsOwners(orphan));
  }
}

async function startRun(request: RestoreManifests, folders: readonly ManifestFolder[]): Promise<Run> {
  const { kube, clock, signal, intoNamespace, filter } = request;
  const from = new Set(folders.flatMap(({ namespace }) => namespace ?? []));
  const [only] = from;
  if (intoNamespace !== undefined && from.size > 1) {
    throw new HoldfastError(
      "SeveralNamespaces",
      `the dump holds objects of ${from.size} namespaces, which cannot all go into ${intoNamespace}`,
      { disposition: "stall", next: "Leave restoreNamespace out, or restore one namespace at a time." },
    );
  }
  const move =
    intoNamespace === undefined || only === undefined ? undefined : { from: only, to: intoNamespace };
  const writer = (request.dryRun ? createDryRunWriter : createObjectWriter)(kube, signal);
  return {
    ...request,
    options: { ...request.prepare, filter, ...(move === undefined ? {} : { move }) },
    writer,
    types: await readServedTypes(kube, clock, signal),
    namespaces: createNamespaceKeeper({ kube, writer, signal, onOutcome: request.onOutcome }),
    answers: createServerAnswers(),
    volumes: createReservedVolumes(),
    open: new Map(),
    orphans: new Set(),
    newTypes: [],
  };
}

/** The passes after the first. A pass in which the server answered nothing is the last. */
async function tryAgain(run: Run): Promise<void> {
  const last = run.dryRun ? dryPasses : passes;
  for (let pass = 2; pass <= last && run.open.size > 0; pass += 1) {
    await prepareNextPass(run, pass);
    const places = [...run.open.keys()].toSorted(byRestoreOrder);
    for (const ofType of Map.groupBy(places, ({ type }) => type).values()) {
      await restoreType(run, ofType);
    }
    if (run.answers.lost() && !run.answers.any()) {
      run.log(`pass ${pass}: the API server answered nothing; ${run.open.size} objects are given up`);
      return;
    }
  }
}

async function prepareNextPass(run: Run, pass: number): Promise<void> {
  run.log(`pass ${pass}: ${run.open.size} objects are tried again`);
  const waitMs = 1000 * 2 ** (pass - 2);
  await run.clock.sleep(run.answers.lost() ? Math.max(waitMs, outageWaitMs) : waitMs, run.signal);
  run.signal.throwIfAborted();
  run.answers.beginPass();
  run.namespaces.forget();
  try {
    await run.types.refresh();
    run.answers.answered();
  } catch (thrown) {
    if (run.signal.aborted || !(thrown instanceof KubeError)) throw thrown;
    if (thrown.code === 0) run.answers.unanswered();
    run.log(`pass ${pass}: what the cluster serves could not be read again: ${messageOf(thrown)}`);
  }
}

/** Objects of one type side by side. CustomResourceDefinitions must be served before the next type. */
async function restoreType(
  run: Run,
  places: Iterable<ManifestPlace> | AsyncIterable<ManifestPlace>,
): Promise<void> {
  run.signal.throwIfAborted();
  await inParallel(places, objectsAtOnce, (place) => restorePlace(run, place));
  if (run.newTypes.length === 0) return;
  const newTypes = run.newTypes.splice(0);
  if (run.dryRun) return run.types.assume(newTypes);
  const late = await run.types.arrive(newTypes);
  if (late.length > 0) run.log(`not served yet: ${late.join(", ")}`);
}

/** Restores one file; what fails is kept for the next pass. */
async function restorePlace(run: Run, place: ManifestPlace): Promise<void> {
  const before = run.open.get(place);
  let object: KubeObject | undefined;
  let named: Named = nameOfPlace(place);
  const startedAtMs = run.clock.now();
  try {
    const skip = reasonToSkipType(place.type, run.filter);
    if (skip !== undefined) return settle(run, place, { ...named, did: "skipped", reason: skip });
    if (run.answers.isSilent()) throw notTried();
    object = await readManifest(place);
    named = nameOfPlace(place, object);
    const outcome = await restoreObject(run, place, object);
    if (outcome !== undefined) settle(run, place, outcome);
  } catch (thrown) {
    if (run.signal.aborted) throw thrown;
    const lost = thrown instanceof KubeError && thrown.code === 0;
    if (lost) run.answers.unanswered();
    else if (thrown instanceof KubeError) run.answers.answered();
    const reason = wordsOf(thrown, object).slice(0, maxReasonLength);
    const outcome: ObjectOutcome = { ...named, did: "failed", reason };
    run.open.set(place, { outcome, sentAtMs: before?.sentAtMs ?? (lost ? startedAtMs : undefined) });
    if (place.type === "namespaces") run.namespaces.expect(named.name);
  }
}

function settle(run: Run, place: ManifestPlace, outcome: ObjectOutcome): void {
  run.open.delete(place);
  run.onOutcome(outcome);
}

async function restoreObject(
  run: Run,
  place: ManifestPlace,
  dumped: KubeObject,
): Promise<ObjectOutcome | undefined> {
  const decision = decide(place, dumped, run.options, run.types);
  if ("skip" in decision) return { ...nameOfPlace(place, dumped), did: "skipped", reason: decision.skip };
  const { resource, ownVersion } = decision;
  const object = run.volumes.before(decision.send);
  if (object.metadata.namespace !== undefined) await run.namespaces.ensure(object.metadata.namespace);
  const sentAtMs = run.open.get(place)?.sentAtMs;
  const written = await createObject({ ...run, ownVersion, sentAtMs }, resource, object);
  run.answers.answered();
  run.volumes.after(object, written.live);
  const wrote = written.did === "created" || written.did === "updated";
  if (wrote && place.type === crds) run.newTypes.push(written.live);
  if (written.did === "created" && place.type === "namespaces") run.namespaces.arrived(object.metadata.name);
  const outcome = toOutcome(nameOfPlace(place, object), decision.notes, written);
  // What a dry run would create is not there to get owners.
  const owners = run.dryRun && written.did === "created" ? [] : decision.owners;
  const orphan = {
    resource,
    outcome,
    namespace: place.namespace,
    ...lackingOwners(written, owners),
  };
  if (orphan.owners.length === 0) return outcome;
  run.open.delete(place);
  run.orphans.add(orphan);
  return undefined;
}

function toOutcome(
  named: Named,
  prepared: readonly string[],
  { live: _live, notes: written = [], ...result }: WriteResult,
): ObjectOutcome {
  const notes = result.did === "conflict" ? [] : [...prepared, ...written];
  return { ...named, ...result, ...(notes.length === 0 ? {} : { notes }) };
}

/** Somebody else's object with other content is left alone. */
function lackingOwners(
  { did, live }: WriteResult,
  owners: readonly OwnerReference[],
): Pick<Orphan, "owners" | "live"> {
  const { resourceVersion, ownerReferences = [] } = live.metadata;
  const known = { resourceVersion, owners: ownerReferences };
  const ours = did !== "conflict" || isMadeByRestore(live);
  const lacks = ours && mergeOwners(ownerReferences, owners) !== undefined;
  return { owners: lacks ? owners : [], live: known };
}

/** As far as the path says it while the object is not read: a long name is cut there. */
function nameOfPlace({ type, namespace, file }: ManifestPlace, object?: KubeObject): Named {
  const name = object?.metadata.name ?? basename(file, ".yaml");
  const home = object === undefined ? namespace : object.metadata.namespace;
  return home === undefined ? { type, name } : { type, namespace: home, name };
}

/** A server may quote what it refuses, and a Secret's content is never shown. */
function wordsOf(thrown: unknown, object: KubeObject | undefined): string {
  if (object?.kind !== "Secret" || !(thrown instanceof KubeError)) return messageOf(thrown);
  const fields = (thrown.details.causes ?? []).flatMap(({ field }) => field ?? []);
  return `refused: ${thrown.code} ${thrown.reason}${fields.length === 0 ? "" : ` (${fields.join(", ")})`}`;
}
