import type { JsonObject } from "../base/json.ts";
import { type Cluster, timestamp } from "./cluster.ts";
import { cleanupFinalizer } from "./crd/definitions.ts";
import { badRequest, conflict, forbidden, notFound } from "./failure.ts";
import { type Kind, keyOf } from "./kinds.ts";
import { at, isObject, listAt, numberAt, textAt, textsAt, withAt } from "./value.ts";
import { deletedStatus, viewed } from "./view.ts";
import type { Place } from "./write.ts";

type Propagation = "Background" | "Foreground" | "Orphan" | undefined;

export type DeleteOptions = {
  readonly propagation: Propagation;
  readonly graceSeconds: number | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly dryRun: boolean;
};

/** From the body (`DeleteOptions`) or the query. Throws 400. */
export function deleteOptions(body: unknown, query: Readonly<Record<string, string>>): DeleteOptions {
  const policy = textAt(body, "propagationPolicy") || (query["propagationPolicy"] ?? "");
  const orphan = at(body, "orphanDependents") ?? query["orphanDependents"];
  const propagation = propagationOf(policy, orphan === true || orphan === "true");
  const grace = numberAt(body, "gracePeriodSeconds") ?? numberOf(query["gracePeriodSeconds"]);
  if (grace !== undefined && grace < 0) throw badRequest("gracePeriodSeconds must not be negative");
  const dryRun = isObject(body) ? textsAt(body, "dryRun") : [];
  return {
    propagation,
    graceSeconds: grace,
    uid: textAt(body, "preconditions", "uid"),
    resourceVersion: textAt(body, "preconditions", "resourceVersion"),
    dryRun: dryRun.includes("All") || query["dryRun"] === "All",
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function propagationOf(policy: string, orphan: boolean): Propagation {
  if (policy === "Background" || policy === "Foreground" || policy === "Orphan") return policy;
  if (policy !== "") {
    throw badRequest(
      `invalid propagationPolicy ${JSON.stringify(policy)}: use Background, Foreground or Orphan`,
    );
  }
  return orphan ? "Orphan" : undefined;
}

/** Kinds whose deletion answers the object instead of a Status. */
const answersObject = new Set([
  "/pods",
  "/podtemplates",
  "/persistentvolumes",
  "/persistentvolumeclaims",
  "/resourcequotas",
  "/serviceaccounts",
  "/services",
  "storage.k8s.io/storageclasses",
  "storage.k8s.io/csidrivers",
  "storage.k8s.io/csinodes",
  "storage.k8s.io/volumeattachments",
]);

/** These keep their dependents when a deletion does not say otherwise. */
const orphansByDefault = new Set(["batch/jobs", "/replicationcontrollers"]);

const keptNamespaces = new Set(["default", "kube-system", "kube-public"]);

/**
 * Deletes an object, or marks it when finalizers, its pods' grace or its dependents hold it.
 * Throws 404, 409 (preconditions), 403 (namespaces that must stay).
 */
export function remove(cluster: Cluster, kind: Kind, place: Place, options: DeleteOptions): JsonObject {
  const key = keyOf(place.namespace, place.name);
  const live = cluster.store.get(kind.resource, key);
  if (live === undefined) throw notFound(kind, place.name);
  if (kind.resource === "/namespaces" && keptNamespaces.has(place.name)) {
    throw forbidden(kind, place.name, "this namespace may not be deleted");
  }
  requirePreconditions(kind, place.name, live, options);
  const grace = graceOf(kind, live, options);
  const finalizers = finalizersOf(kind, live, options.propagation);
  const held =
    finalizers.length > 0 ||
    (kind.resource === "/namespaces" && textsAt(live, "spec", "finalizers").length > 0);
  if (!held && grace === 0) {
    if (!options.dryRun) cluster.store.write(kind.resource, key, undefined);
    return answersObject.has(kind.resource) ? viewed(kind, live) : deletedStatus(kind, live);
  }
  const marked = markedForDeletion(cluster, live, finalizers, grace);
  if (marked === live || options.dryRun) return viewed(kind, marked);
  return viewed(kind, cluster.store.write(kind.resource, key, marked));
}

function requirePreconditions(kind: Kind, name: string, live: JsonObject, options: DeleteOptions): void {
  const uid = textAt(live, "metadata", "uid");
  const version = textAt(live, "metadata", "resourceVersion");
  if (options.uid !== "" && options.uid !== uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`,
    );
  }
  if (options.resourceVersion !== "" && options.resourceVersion !== version) {
    throw conflict(
      kind,
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${version}`,
    );
  }
}

/** Seconds until the object may go: only pods on a node take time. */
function graceOf(kind: Kind, live: JsonObject, options: DeleteOptions): number {
  if (kind.resource !== "/pods" || textAt(live, "spec", "nodeName") === "") return 0;
  if (["Succeeded", "Failed"].includes(textAt(live, "status", "phase"))) return 0;
  return options.graceSeconds ?? numberAt(live, "spec", "terminationGracePeriodSeconds") ?? 30;
}

function finalizersOf(kind: Kind, live: JsonObject, propagation: Propagation): readonly string[] {
  const known = textsAt(live, "metadata", "finalizers");
  const kept = known.filter((name) => name !== "orphan" && name !== "foregroundDeletion");
  // A definition that serves its kind goes after the last object of it.
  const others = servesKind(live) && !kept.includes(cleanupFinalizer) ? [...kept, cleanupFinalizer] : kept;
  switch (propagation) {
    case "Orphan":
      return [...others, "orphan"];
    case "Foreground":
      return [...others, "foregroundDeletion"];
    case "Background":
      return others;
    case undefined:
      if (known.length > kept.length) return known;
      return orphansByDefault.has(kind.resource) ? [...others, "orphan"] : others;
  }
}

function servesKind(live: JsonObject): boolean {
  if (live["kind"] !== "CustomResourceDefinition") return false;
  if (textAt(live, "metadata", "deletionTimestamp") !== "") return false;
  return listAt(live, "status", "conditions").some(
    (condition) => textAt(condition, "type") === "Established" && textAt(condition, "status") === "True",
  );
}

function markedForDeletion(
  cluster: Cluster,
  live: JsonObject,
  finalizers: readonly string[],
  grace: number,
): JsonObject {
  let out = live;
  const known = textsAt(live, "metadata", "finalizers");
  if (known.join() !== finalizers.join()) out = withAt(out, ["metadata", "finalizers"], finalizers);
  const before = numberAt(live, "metadata", "deletionGracePeriodSeconds");
  const marked = textAt(live, "metadata", "deletionTimestamp") !== "";
  if (marked && (before === undefined || before <= grace)) return out;
  const end = cluster.clock.now() + grace * 1000;
  out = withAt(out, ["metadata", "deletionTimestamp"], timestamp(end));
  out = withAt(out, ["metadata", "deletionGracePeriodSeconds"], grace);
  const generation = numberAt(live, "metadata", "generation");
  if (!marked && generation !== undefined) out = withAt(out, ["metadata", "generation"], generation + 1);
  return live["kind"] === "Namespace" ? withAt(out, ["status", "phase"], "Terminating") : out;
}
