import { basename } from "node:path";
import { builtIn } from "../../api/built-in.ts";
import { type KubeObject, keyOf, refOf } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { isKubeError, KubeError } from "../../ports/kube/kube-error.ts";
import { moverManager } from "../job-context.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { createObject } from "./create-object.ts";
import { type DecideOptions, decide, reasonToSkipType } from "./decide.ts";
import type { ManifestFilter } from "./manifest-filter.ts";
import { type ManifestPlace, walkTree } from "./manifest-tree.ts";
import type { ObjectOutcome } from "./object-outcome.ts";
import { createObjectWriter, type ObjectWriter } from "./object-writer.ts";
import type { PrepareOptions } from "./prepare-object.ts";
import { readManifest } from "./read-manifest.ts";
import { type Orphan, relinkOwners } from "./relink-owners.ts";
import { byRestoreOrder } from "./restore-order.ts";
import { readServedTypes, type ServedTypes } from "./served-types.ts";

const passes = 5;
const crds = "customresourcedefinitions.apiextensions.k8s.io";
const objectsAtOnce = 8;
const maxReasonLength = 400;

export type RestoreManifests = {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly filter: ManifestFilter;
  /** Folder with `<group-resource>/…` */
  readonly tree: string;
  readonly override: boolean;
  readonly prepare: Omit<PrepareOptions, "move">;
  /** Namespace for all namespaced objects instead of their own. */
  readonly intoNamespace?: string;
  readonly onOutcome: (outcome: ObjectOutcome) => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

type Run = RestoreManifests & {
  readonly options: DecideOptions;
  readonly writer: ObjectWriter;
  readonly types: ServedTypes;
  readonly known: Map<string, string>;
  readonly orphans: Orphan[];
  readonly readyNamespaces: Map<string, Promise<void>>;
};

type Did = Omit<ObjectOutcome, "type" | "namespace" | "name">;

type Failure = { readonly place: ManifestPlace; readonly outcome: ObjectOutcome };

/**
 * Restores a tree in up to five passes: types that others need first, what failed again in the next pass
 * (what it needs may have come), and the owners at the end. Objects that exist stay, unless `override`.
 * What became of each goes to `onOutcome`.
 */
export async function restoreManifests(request: RestoreManifests): Promise<void> {
  const places: ManifestPlace[] = [];
  for await (const place of walkTree(request.tree)) places.push(place);
  const run = await startRun(request, places);
  let pending: readonly ManifestPlace[] = places.toSorted(byRestoreOrder);
  let failures: readonly Failure[] = [];
  for (let pass = 1; pass <= passes && pending.length > 0; pass += 1) {
    if (pass > 1) await prepareNextPass(run, pass, failures);
    failures = await restorePass(run, pending);
    pending = failures.map(({ place }) => place).toSorted(byRestoreOrder);
  }
  for (const { outcome } of failures) run.onOutcome(outcome);
  for (const outcome of await relinkOwners(run.kube, run.orphans, run.known, run.signal)) {
    run.onOutcome(outcome);
  }
}

async function startRun(request: RestoreManifests, places: readonly ManifestPlace[]): Promise<Run> {
  const { intoNamespace, filter } = request;
  const from = new Set(places.flatMap(({ namespace }) => namespace ?? []));
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
  return {
    ...request,
    options: { ...request.prepare, filter, ...(move === undefined ? {} : { move }) },
    writer: createObjectWriter(request.kube, request.signal),
    types: await readServedTypes(request.kube, request.clock, request.signal),
    known: new Map(),
    orphans: [],
    readyNamespaces: new Map(),
  };
}

async function prepareNextPass(run: Run, pass: number, failures: readonly Failure[]): Promise<void> {
  run.log(`pass ${pass}: ${failures.length} objects are tried again`);
  await run.clock.sleep(1000 * 2 ** (pass - 2), run.signal);
  run.signal.throwIfAborted();
  run.readyNamespaces.clear();
  await run.types.refresh();
}

/** Type by type in order; objects of one type side by side. CustomResourceDefinitions must be served before the rest. */
async function restorePass(run: Run, pending: readonly ManifestPlace[]): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const [type, places] of Map.groupBy(pending, (place) => place.type)) {
    run.signal.throwIfAborted();
    const reason = reasonToSkipType(type, run.options.filter);
    if (reason !== undefined) {
      for (const place of places) run.onOutcome({ ...nameOfPlace(place), did: "skipped", reason });
      continue;
    }
    let created = 0;
    await inParallel(places, objectsAtOnce, async (place) => {
      const outcome = await restorePlace(run, place);
      if (outcome?.did === "failed") failures.push({ place, outcome });
      else if (outcome !== undefined) run.onOutcome(outcome);
      if (outcome === undefined || outcome.did === "created") created += 1;
    });
    if (type === crds && created > 0) {
      await run.types.waitFor(places.map(({ file }) => basename(file, ".yaml")));
    }
  }
  return failures;
}

/** Restores one file; undefined when it was created and its owners are still to be set. */
async function restorePlace(run: Run, place: ManifestPlace): Promise<ObjectOutcome | undefined> {
  let object: KubeObject | undefined;
  let named = nameOfPlace(place);
  try {
    object = await readManifest(place);
    named = { ...named, name: object.metadata.name };
    const did = await restoreObject(run, place, object);
    return did === undefined ? undefined : { ...named, ...did };
  } catch (thrown) {
    if (run.signal.aborted) throw thrown;
    if (thrown instanceof KubeError && thrown.reason === "ApiServerUnreachable") throw thrown;
    return { ...named, did: "failed", reason: wordsOf(thrown, object).slice(0, maxReasonLength) };
  }
}

/** As far as the path says it: a long name is cut there. */
function nameOfPlace({ type, namespace, file }: ManifestPlace): Omit<ObjectOutcome, "did"> {
  const name = basename(file, ".yaml");
  return namespace === undefined ? { type, name } : { type, namespace, name };
}

/** A server may quote what it refuses, and a Secret's content is never shown. */
function wordsOf(thrown: unknown, object: KubeObject | undefined): string {
  if (object?.kind !== "Secret" || !(thrown instanceof KubeError)) return messageOf(thrown);
  const fields = (thrown.details.causes ?? []).flatMap(({ field }) => field ?? []);
  return `refused: ${thrown.code} ${thrown.reason}${fields.length === 0 ? "" : ` (${fields.join(", ")})`}`;
}

async function restoreObject(run: Run, place: ManifestPlace, dumped: KubeObject): Promise<Did | undefined> {
  const decision = decide(place, dumped, run.options, run.types);
  if ("skip" in decision) return { did: "skipped", reason: decision.skip };
  const { send: object, resource, owners } = decision;
  if (object.metadata.namespace !== undefined) await ensureNamespace(run, object.metadata.namespace);
  const { live, notes = [], ...result } = await createObject(run, resource, object);
  if (live.metadata.uid !== undefined) run.known.set(keyOf(refOf(object)), live.metadata.uid);
  const all = result.did === "created" || result.did === "updated" ? [...decision.notes, ...notes] : notes;
  const told = all.length === 0 ? result : { ...result, notes: all };
  if (result.did !== "created" || owners.length === 0) return told;
  run.orphans.push({
    resource,
    type: place.type,
    object,
    owners,
    ...(all.length === 0 ? {} : { notes: all }),
  });
  return undefined;
}

/** A missing namespace is made without labels, once per run. */
async function ensureNamespace(run: Run, name: string): Promise<void> {
  const known = run.readyNamespaces.get(name);
  if (known !== undefined) return await known;
  const made = makeNamespace(run, name);
  run.readyNamespaces.set(name, made);
  await made;
}

async function makeNamespace({ kube, signal }: Run, name: string): Promise<void> {
  try {
    if ((await kube.get(builtIn.Namespace, { name }, signal)) !== undefined) return;
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await kube.create(builtIn.Namespace, object, { manager: moverManager, signal });
  } catch (thrown) {
    // Another one made it meanwhile, or this account may not: then the object's own create says so.
    if (!isKubeError(thrown, 409) && !isKubeError(thrown, 403)) throw thrown;
  }
}
