import type { KubeObject } from "../../../api/meta.ts";
import { asRecord } from "../../../base/json.ts";
import { missingPassword } from "../secret-use.ts";
import { conditionIs, latestGood, phaseOf } from "../snapshots.ts";
import type { World } from "../world.ts";
import {
  encryptionSecretOf,
  repositoryObstacle,
  type SecretName,
  secretAt,
  storageOf,
} from "./repository.ts";
import { repositoryOf } from "./snapshot.ts";

export type RestoreSource = {
  readonly snapshot: KubeObject;
  readonly repository: KubeObject;
  readonly storage: KubeObject;
  /** Component names that are restored. */
  readonly components: readonly string[];
};

export type SourceAnswer = {
  readonly source?: RestoreSource;
  /** What is not there and may still come: "Repository demo/x does not exist". */
  readonly waiting?: string;
  /** What a person must change. */
  readonly error?: string;
};

/**
 * The Snapshot that a RestoreSession means. `latest` is the newest good one: Succeeded, not partial, and not one
 * whose source shrank. It is chosen once: the Jobs' own label names it from then on.
 */
export function restoreSource(restore: KubeObject, world: World): SourceAnswer {
  const data = asRecord(asRecord(restore["spec"])["dataSource"]);
  const namespace = String(data["namespace"] ?? restore.metadata.namespace);
  const wanted = String(data["snapshot"] ?? "");
  const repositoryName = typeof data["repository"] === "string" ? data["repository"] : undefined;
  const repository = world.observed.named("Repository", namespace, repositoryName);
  if (repositoryName !== undefined && repository === undefined)
    return { waiting: `Repository ${namespace}/${repositoryName} does not exist` };
  const chosen = chosenSnapshot(restore, world);
  const name = chosen ?? wanted;
  const snapshot =
    name === "latest"
      ? repository && latestGood(repository, world)
      : world.observed.named("Snapshot", namespace, name);
  if (snapshot === undefined) return absent(name, namespace, repository);
  const holder = String(asRecord(snapshot["spec"])["repository"]);
  if (repository !== undefined && holder !== repository.metadata.name)
    return {
      error: `Snapshot ${namespace}/${snapshot.metadata.name} is of Repository ${holder}, not of ${repository.metadata.name}`,
    };
  const owner = repository ?? repositoryOf(snapshot, world);
  if (owner === undefined)
    return { waiting: `the Repository of Snapshot ${namespace}/${name} does not exist` };
  const storage = storageOf(owner, world);
  const obstacle = repositoryObstacle(owner, world);
  if (storage === undefined || obstacle !== undefined)
    return { waiting: obstacle ?? "its BackupStorage does not exist" };
  const secret = restoreSecret(restore, owner);
  const password = secret && missingPassword(secret, world);
  if (password !== undefined) return { waiting: password };
  return judged({ snapshot, repository: owner, storage }, data);
}

/** The Secret with which a RestoreSession opens a Repository: its own word, or the Repository's. */
export function restoreSecret(restore: KubeObject, repository: KubeObject): SecretName | undefined {
  const { encryptionSecret } = asRecord(asRecord(restore["spec"])["dataSource"]);
  return secretAt(encryptionSecret, restore.metadata.namespace ?? "") ?? encryptionSecretOf(repository);
}

/** The Repository that a RestoreSession reads: the one that it names, or that of the Snapshot that it names. */
export function sourceRepository(restore: KubeObject, world: World): KubeObject | undefined {
  const data = asRecord(asRecord(restore["spec"])["dataSource"]);
  const namespace = String(data["namespace"] ?? restore.metadata.namespace);
  const named = (kind: string, name: unknown) => world.observed.named(kind, namespace, name);
  if (data["repository"] !== undefined) return named("Repository", data["repository"]);
  const snapshot = named("Snapshot", data["snapshot"]);
  return snapshot === undefined ? undefined : repositoryOf(snapshot, world);
}

/** The Snapshot that the Jobs of this restore were made for. */
function chosenSnapshot(restore: KubeObject, world: World): string | undefined {
  return world.observed
    .ownedBy(restore.metadata.uid ?? "")
    .map((one) => one.metadata.annotations?.["holdfast.dev/snapshot"])
    .find((name) => name !== undefined);
}

function absent(name: string, namespace: string, repository: KubeObject | undefined): SourceAnswer {
  if (name !== "latest") return { waiting: `Snapshot ${namespace}/${name} does not exist` };
  if (repository !== undefined && phaseOf(repository) === "Ready")
    return { waiting: `Repository ${namespace}/${repository.metadata.name} has no good Snapshot` };
  return { waiting: `Repository ${namespace}/${repository?.metadata.name ?? "(none)"} is not Ready` };
}

function judged(
  found: Omit<RestoreSource, "components">,
  data: Readonly<Record<string, unknown>>,
): SourceAnswer {
  const { snapshot } = found;
  const status = asRecord(snapshot["status"]);
  const present = asRecord(status["components"]);
  const partial = conditionIs(snapshot, "Partial", "True");
  if (phaseOf(snapshot) !== "Succeeded" && !partial) {
    const sentence = `Snapshot ${snapshot.metadata.name} is ${phaseOf(snapshot) || "Pending"}`;
    return phaseOf(snapshot) === "Failed"
      ? { error: `${sentence}; it cannot be restored` }
      : { waiting: sentence };
  }
  const asked = Array.isArray(data["components"]) ? data["components"].map(String) : Object.keys(present);
  const unknown = asked.filter((component) => present[component] === undefined);
  if (unknown.length > 0)
    return {
      error: `Snapshot ${snapshot.metadata.name} has no component ${unknown.join(", ")}; it has ${Object.keys(present).join(", ")}`,
    };
  return { source: { ...found, components: [...asked].sort() } };
}
