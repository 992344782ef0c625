import { builtIn } from "../../api/built-in.ts";
import { kinds } from "../../api/kinds.ts";
import { usableFrom } from "../../api/labels.ts";
import { type KubeObject, nameOf, type Resource, refOf } from "../../api/meta.ts";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import type { Problem } from "../../base/problem.ts";
import type { Kube, ListOptions, ObjectName } from "../../ports/kube/kube.ts";
import { asObservedBefore, type Observed, observedFrom } from "./observed.ts";

export type Observation = { readonly observed: Observed; readonly problems: readonly Problem[] };

const managed = "app.kubernetes.io/managed-by=holdfast";

/**
 * Lists what a pass looks at: our kinds everywhere, what we made by its label, our own notes, and the targets' kinds
 * in the namespaces that refer to them. Only the Secrets that are referred to are read, and their values are dropped here.
 * What has not changed since `previous` is the same object as there.
 */
export async function observe(
  kube: Kube,
  ownNamespace: string,
  { signal, previous }: { readonly signal?: AbortSignal; readonly previous?: Observed | undefined } = {},
): Promise<Observation> {
  const problems: Problem[] = [];
  const listAll = async (resource: Resource, options: ListOptions = {}): Promise<readonly KubeObject[]> => {
    const items: KubeObject[] = [];
    try {
      for await (const page of kube.list(resource, { ...options, ...(signal ? { signal } : {}) }))
        items.push(...page.items.map((item) => asObservedBefore(item, previous)));
    } catch (error) {
      // What cannot be told from "there is none" would end running work; only a target's kind that may not be read is named.
      const refused = error instanceof HoldfastError && error.disposition === "stall";
      if (!refused || !targetResources.includes(resource)) throw error;
      problems.push(unlisted(resource, error));
    }
    return items;
  };
  const own = new Set(kinds.map((kind) => kind.resource));
  const ours = (await Promise.all([...own].map((resource) => listAll(resource)))).flat();
  const made = await Promise.all(
    ownedResources.map((resource) => listAll(resource, { labelSelector: managed })),
  );
  const notes = await listAll(builtIn.ConfigMap, { namespace: ownNamespace, labelSelector: managed });
  const namespaces = await listAll(builtIn.Namespace);
  const around = await Promise.all(
    [...targetNamespaces(ours)].flatMap((namespace) =>
      targetResources.map((resource) => listAll(resource, { namespace })),
    ),
  );
  const secrets = await Promise.all(secretsOf(ours).map((wanted) => readSecret(kube, wanted, signal)));
  const clusterUid = namespaces.find((one) => one.metadata.name === "kube-system")?.metadata.uid;
  if (clusterUid === undefined)
    throw new HoldfastError(
      "ClusterUidMissing",
      "the namespace kube-system cannot be read, so the cluster cannot be told from others",
      {
        disposition: "stall",
        next: "allow get on namespaces for the account that Holdfast uses",
      },
    );
  const objects = [
    ours,
    made.flat(),
    notes,
    namespaces,
    around.flat(),
    secrets.flatMap(({ found }) => found ?? []),
  ].flat();
  problems.push(...secrets.flatMap((one) => one.problems));
  return { observed: observedFrom(objects, clusterUid, previous), problems };
}

const ownedResources: readonly Resource[] = [
  builtIn.Job,
  builtIn.CronJob,
  builtIn.ServiceAccount,
  builtIn.Role,
  builtIn.RoleBinding,
  builtIn.ClusterRoleBinding,
  builtIn.Pod,
];

const targetResources: readonly Resource[] = [
  builtIn.Deployment,
  builtIn.StatefulSet,
  builtIn.DaemonSet,
  builtIn.PersistentVolumeClaim,
  builtIn.Pod,
];

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) =>
      typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[name] : undefined,
    value,
  );
}

/** Namespaces of targets of configurations and restores. */
function targetNamespaces(objects: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    objects
      .filter((object) => object.kind === "BackupConfiguration" || object.kind === "RestoreSession")
      .filter((object) => field(object, "spec", "target") !== undefined)
      .map((object) => String(field(object, "spec", "target", "namespace") || object.metadata.namespace)),
  );
}

type WantedSecret = { readonly name: ObjectName; readonly referrers: readonly KubeObject[] };

/** Each Secret that a storage or a repository refers to, once, with all that do. */
function secretsOf(objects: readonly KubeObject[]): readonly WantedSecret[] {
  const wanted = new Map<string, { readonly name: ObjectName; readonly referrers: Set<KubeObject> }>();
  for (const object of objects)
    for (const name of secretNames(object)) {
      const key = JSON.stringify([name.namespace, name.name]);
      const known = wanted.get(key);
      if (known === undefined) wanted.set(key, { name, referrers: new Set([object]) });
      else known.referrers.add(object);
    }
  return [...wanted.values()].map(({ name, referrers }) => ({ name, referrers: [...referrers] }));
}

/** An empty text is the same as none, as the API's defaults have it. */
function secretNames(object: KubeObject): readonly ObjectName[] {
  const own = object.metadata.namespace ?? "";
  if (object.kind === "BackupStorage") {
    const name = field(object, "spec", "storage", "s3", "secretName");
    return typeof name === "string" && name !== "" ? [{ namespace: own, name }] : [];
  }
  const references = [
    field(object, "spec", "encryptionSecret"),
    field(object, "spec", "dataSource", "encryptionSecret"),
    ...sessionsOf(object).flatMap((session) =>
      repositoriesOf(session).map((one) => field(one, "encryptionSecret")),
    ),
  ];
  return references.flatMap((reference) => {
    const name = field(reference, "name");
    if (typeof name !== "string" || name === "") return [];
    return [{ namespace: String(field(reference, "namespace") || own), name }];
  });
}

function sessionsOf(object: KubeObject): readonly unknown[] {
  const sessions = field(object, "spec", "sessions");
  return Array.isArray(sessions) ? sessions : [];
}

function repositoriesOf(session: unknown): readonly unknown[] {
  const repositories = field(session, "repositories");
  return Array.isArray(repositories) ? repositories : [];
}

type ReadSecret = { readonly found: KubeObject | undefined; readonly problems: readonly Problem[] };

/**
 * One Secret that may not be read concerns those that refer to it and nobody else. It may well be there: it is
 * observed without keys, so that nothing is called gone, and nothing Ready, that was not seen.
 */
async function readSecret(
  kube: Kube,
  { name, referrers }: WantedSecret,
  signal: AbortSignal | undefined,
): Promise<ReadSecret> {
  try {
    const found = await kube.get(builtIn.Secret, name, signal);
    return { found: found && withoutValues(found), problems: [] };
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.disposition !== "stall") throw error;
    const impossible = error.reason === "NameInvalid";
    return {
      found: impossible ? undefined : { apiVersion: "v1", kind: "Secret", metadata: name, unreadable: true },
      problems: referrers.map((object) => ({
        severity: "error",
        reason: "SecretNotReadable",
        object: nameOf(refOf(object)),
        message: `Secret ${name.namespace}/${name.name} cannot be read: ${messageOf(error)}`,
        next: impossible
          ? "name a Secret of a valid name and namespace"
          : "allow the account that Holdfast uses to get this Secret, or name another one",
      })),
    };
  }
}

/** The plan needs to know that it is there and which keys it has. */
function withoutValues(found: KubeObject): KubeObject {
  const data = typeof found["data"] === "object" && found["data"] !== null ? found["data"] : {};
  const { name: own, namespace, uid, resourceVersion, annotations } = found.metadata;
  const usable = annotations?.[usableFrom];
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: own,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(usable === undefined ? {} : { annotations: { [usableFrom]: usable } }),
    },
    keys: Object.keys(data).sort(),
  };
}

function unlisted(resource: Resource, error: HoldfastError): Problem {
  return {
    severity: "error",
    reason: error.reason,
    message: `${resource.plural}${resource.group === "" ? "" : `.${resource.group}`} cannot be listed: ${messageOf(error)}`,
    ...(error.next === undefined ? {} : { next: error.next }),
  };
}
