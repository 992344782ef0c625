import { asRecord, isFields } from "../base/json.ts";
import type { BackupConfiguration } from "./backup-configuration.ts";
import type { BackupStorage } from "./backup-storage.ts";
import { findKind } from "./kinds.ts";
import { type KubeObject, type ObjectMeta } from "./meta.ts";
import type { ObjectReference } from "./references.ts";
import type { RetentionPolicy } from "./retention-policy.ts";
import { nodeOf, type SchemaNode } from "./schema-node.ts";
import { type Referrer, type UsagePolicy, usageAllowed } from "./usage-policy.ts";

/**
 * An object with the defaults that need no other object: those of its schema, as the API server applies them,
 * and what KubeStash's webhook changes (one trailing `/` of endpoint, bucket and prefix goes). Objects of other
 * kinds come back as they are; a null counts as absent.
 */
export function defaultObject<Kind extends KubeObject>(object: Kind): Kind {
  const kind = findKind(object);
  if (kind === undefined || !isFields(object["spec"])) return object;
  const spec = withDefaults(nodeOf(kind.spec), object["spec"]);
  return { ...object, spec: object.kind === "BackupStorage" ? trimmedStorage(spec) : spec };
}

function withDefaults(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isFields(value) || node.type !== "object") return value;
  const known = node.properties ?? {};
  const fields: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const schema = Object.hasOwn(known, name) ? known[name] : node.additionalProperties;
    if (schema === undefined || schema === false) fields.push([name, inner]);
    else if (inner !== null && inner !== undefined) fields.push([name, withDefaults(schema, inner)]);
  }
  for (const [name, schema] of Object.entries(known)) {
    const absent = value[name] === undefined || value[name] === null;
    if (absent && schema.default !== undefined)
      fields.push([name, withDefaults(schema, structuredClone(schema.default))]);
  }
  return Object.fromEntries(fields);
}

const trimmedFields: Readonly<Record<string, readonly string[]>> = {
  s3: ["endpoint", "bucket", "prefix"],
  gcs: ["bucket", "prefix"],
  azure: ["prefix"],
};

function trimmedStorage(spec: unknown): unknown {
  if (!isFields(spec) || !isFields(spec["storage"])) return spec;
  const storage = Object.entries(spec["storage"]).map(([provider, backend]) => {
    const names = Object.hasOwn(trimmedFields, provider) ? (trimmedFields[provider] ?? []) : [];
    return [provider, isFields(backend) ? trimmedBackend(backend, names) : backend];
  });
  return { ...spec, storage: Object.fromEntries(storage) };
}

function trimmedBackend(backend: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  const trimmed = Object.entries(backend).map(([name, value]) => [
    name,
    names.includes(name) && typeof value === "string" ? value.replace(/\/$/, "") : value,
  ]);
  return Object.fromEntries(trimmed);
}

type Candidate = {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly default?: boolean; readonly usagePolicy?: UsagePolicy };
};

/**
 * The default BackupStorage or RetentionPolicy for a referrer, in KubeStash's order: of the same namespace with
 * `from: Same`; of any namespace with a selector that matches; of any namespace with `from: All`. Within each the
 * first by namespace and name.
 */
export function findDefault<Kind extends Candidate>(
  candidates: readonly Kind[],
  referrer: Referrer,
): Kind | undefined {
  // One that no schema has seen may have no spec.
  const defaults = candidates.filter(({ spec }) => asRecord(spec)["default"] === true).toSorted(byName);
  for (const from of ["Same", "Selector", "All"] as const) {
    const found = defaults.find(
      ({ metadata, spec }) =>
        (spec.usagePolicy?.allowedNamespaces?.from ?? "Same") === from &&
        usageAllowed(spec.usagePolicy, metadata.namespace ?? "", referrer),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function byName(a: Candidate, b: Candidate): number {
  const key = ({ metadata }: Candidate) => `${metadata.namespace ?? ""}/${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}

export type DefaultHolders = {
  readonly storages: readonly BackupStorage[];
  readonly retentionPolicies: readonly RetentionPolicy[];
  readonly namespaceLabels: Readonly<Record<string, string>>;
};

/**
 * A BackupConfiguration with the default backend and retention policies filled in; itself when it names them all.
 * Where there is no default it stays without, and `backendsAreComplete` says so.
 */
export function defaultBackends(
  configuration: BackupConfiguration,
  holders: DefaultHolders,
): BackupConfiguration {
  const given = configuration.spec.backends ?? [];
  const complete = given.every(({ retentionPolicy }) => retentionPolicy !== undefined);
  if (given.length > 0 && complete) return configuration;
  const referrer = {
    namespace: configuration.metadata.namespace ?? "",
    namespaceLabels: holders.namespaceLabels,
  };
  const storage = referenceTo(findDefault(holders.storages, referrer));
  const policy = referenceTo(findDefault(holders.retentionPolicies, referrer));
  const named = given.length > 0 || storage === undefined ? given : [{ name: "", storageRef: storage }];
  const backends = named.map((backend) =>
    backend.retentionPolicy !== undefined || policy === undefined
      ? backend
      : { ...backend, retentionPolicy: policy },
  );
  return { ...configuration, spec: { ...configuration.spec, backends } };
}

function referenceTo(object: Candidate | undefined): ObjectReference | undefined {
  if (object === undefined) return undefined;
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { name, namespace };
}
