import { groupOf, type KubeObject } from "../../api/meta.ts";
import { fieldAt, fieldsAt, textAt } from "../storage/fields.ts";
import { covers } from "./field-changes.ts";
import { jobLabels } from "./prepare-object.ts";
import { isOfController } from "./sanitise.ts";

export type Overlay = {
  readonly object: KubeObject;
  /** Paths that the cluster assigned and that stay, where the dump has something else. */
  readonly kept: readonly string[];
  /** Paths where the dump has something else and that no update can change. */
  readonly fixed: readonly string[];
};

type Fields = { readonly assigned: readonly string[]; readonly immutable: readonly string[] };

/** Fields of `spec` that the dump gave up or has from the old cluster, by group and kind. */
const ofCluster: Readonly<Record<string, Fields>> = {
  "/Service": {
    assigned: ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"],
    immutable: [],
  },
  "/PersistentVolumeClaim": { assigned: ["volumeName"], immutable: [] },
  "/Pod": {
    assigned: ["nodeName", "tolerations", "ephemeralContainers"],
    immutable: ["serviceAccountName", "serviceAccount", "volumes"],
  },
  "batch/Job": { assigned: ["selector"], immutable: ["template"] },
};

/**
 * The live object with the dump's labels, annotations and everything beside metadata and status. What only the live
 * one can know (uid, version, owners, what controllers noted, what it is bound to) stays.
 */
export function overlay(live: KubeObject, dumped: KubeObject): Overlay {
  const { labels: _labels, annotations: _annotations, managedFields: _managed, ...metadata } = live.metadata;
  const labels = { ...dumped.metadata.labels, ...labelsOfServer(live) };
  const annotations = { ...dumped.metadata.annotations, ...annotationsOfControllers(live) };
  const { spec, ...told } = specOf(live, dumped);
  const object: KubeObject = {
    ...dumped,
    ...spec,
    metadata: {
      ...metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
  const status = live["status"];
  return { object: status === undefined ? object : { ...object, status }, ...told };
}

const jobNames = ["job-name", "batch.kubernetes.io/job-name"];

/** A Job is found by its own uid, which the dump gave up, and by its name, unless its selector is a person's. */
function labelsOfServer(live: KubeObject): Readonly<Record<string, string>> {
  const isJob = `${groupOf(live.apiVersion)}/${live.kind}` === "batch/Job";
  if (!isJob || fieldAt(live, "spec", "manualSelector") === true) return {};
  const all = Object.entries(live.metadata.labels ?? {});
  return Object.fromEntries(all.filter(([name]) => jobLabels.includes(name) || jobNames.includes(name)));
}

function annotationsOfControllers(live: KubeObject): Readonly<Record<string, string>> {
  const all = Object.entries(live.metadata.annotations ?? {});
  return Object.fromEntries(all.filter(([name]) => isOfController(name)));
}

function specOf(
  live: KubeObject,
  dumped: KubeObject,
): Omit<Overlay, "object"> & { readonly spec?: Readonly<Record<string, unknown>> } {
  const kind = `${groupOf(dumped.apiVersion)}/${dumped.kind}`;
  const assigned = kind === "/PersistentVolume" ? ofVolume(live) : (ofCluster[kind]?.assigned ?? []);
  const immutable = ofCluster[kind]?.immutable ?? [];
  const fields = [...assigned, ...immutable].flatMap((name) => {
    const value = fieldAt(live, "spec", name);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (fields.length === 0) return { kept: [], fixed: [] };
  const differ = (names: readonly string[]) =>
    fields
      .filter(([name, value]) => names.includes(name) && isOther(value, fieldAt(dumped, "spec", name)))
      .map(([name]) => `spec.${name}`);
  const spec = { ...fieldsAt(dumped, "spec"), ...Object.fromEntries(fields) };
  return { spec: { spec }, kept: differ(assigned), fixed: differ(immutable) };
}

function isOther(live: unknown, dumped: unknown): boolean {
  return dumped !== undefined && !covers(live, dumped);
}

/** A volume that is bound keeps its claim: without the claim's uid it would count as lost. */
function ofVolume(live: KubeObject): readonly string[] {
  return textAt(live, "status", "phase") === "Bound" ? ["claimRef"] : [];
}
