import { resourceOf } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { KubeConnection } from "../../ports/kube/connect-kube.ts";
import { fieldOf } from "../field-of.ts";
import { listKind } from "./list-kind.ts";
import { usage } from "./usage.ts";

export type RestoreRequest = {
  readonly name: string;
  /** `namespace/name` of the Repository. */
  readonly repository: string;
  readonly snapshot: string;
  readonly components: readonly string[];
};

/** A RestoreSession for what a Repository holds: the same target, and the restore task of each backup task. */
export async function restoreSessionFor(
  kube: KubeConnection,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<KubeObject> {
  const [namespace = "", repositoryName = "", ...more] = request.repository.split("/");
  if (namespace === "" || repositoryName === "" || more.length > 0)
    throw usage(
      `--repository ${request.repository} is not NAMESPACE/NAME`,
      "see holdfast snapshots for what there is",
    );
  const repository = await kube.get(resourceOf("Repository"), { namespace, name: repositoryName }, signal);
  if (repository === undefined)
    throw usage(
      `Repository ${request.repository} does not exist`,
      "see holdfast snapshots for what there is; name it as NAMESPACE/NAME",
    );
  await refuseUnknown(kube, repository, request, signal);
  const session = await sessionOf(kube, repository, signal);
  const addon = String(fieldOf(session, "addon", "name") ?? "");
  const backupTasks = fieldOf(session, "addon", "tasks");
  const tasks = (Array.isArray(backupTasks) ? backupTasks : []).map(restoreTask);
  if (addon === "" || tasks.length === 0)
    throw usage(
      `no BackupConfiguration backs up into ${request.repository}`,
      "write the RestoreSession by hand; examples/gitops-repo/restores shows how",
    );
  const jobTemplate = fieldOf(session, "addon", "jobTemplate");
  const target = fieldOf(repository, "spec", "appRef");
  const hasTarget = fieldOf(target, "kind") !== undefined && fieldOf(target, "apiGroup") !== "na";
  return {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "RestoreSession",
    metadata: { name: request.name, namespace },
    spec: {
      ...(hasTarget ? { target } : {}),
      dataSource: {
        repository: repositoryName,
        snapshot: request.snapshot,
        ...(request.components.length === 0 ? {} : { components: request.components }),
      },
      addon: {
        name: addon,
        ...(jobTemplate === undefined ? {} : { jobTemplate }),
        tasks,
      },
    },
  };
}

/** A restore runs once under its name: one of a Snapshot or a component that there is not would only use it up. */
async function refuseUnknown(
  kube: KubeConnection,
  { metadata: { namespace = "", name } }: KubeObject,
  { snapshot, components }: RestoreRequest,
  signal: AbortSignal,
): Promise<void> {
  const all = await listKind(kube, "Snapshot", { namespace, signal });
  const own = all.filter((one) => fieldOf(one, "spec", "repository") === name);
  const meant = snapshot === "latest" ? own : own.filter((one) => one.metadata.name === snapshot);
  if (snapshot !== "latest" && meant.length === 0)
    throw usage(
      `Repository ${namespace}/${name} has no Snapshot ${snapshot}`,
      own.length === 0 ? "it has none yet" : `it has ${newest(own).join(", ")}; see holdfast snapshots`,
    );
  const held = new Set(
    meant.flatMap((one) => Object.keys(Object(fieldOf(one, "status", "components")) as object)),
  );
  const unknown = components.filter((component) => !held.has(component));
  if (unknown.length > 0)
    throw usage(
      `${snapshot === "latest" ? `no Snapshot of Repository ${namespace}/${name} has` : `Snapshot ${namespace}/${snapshot} has no`} component ${unknown.join(", ")}`,
      held.size === 0 ? "leave --component out" : `there is ${[...held].sort().join(", ")}`,
    );
}

/** Names of the newest five. */
function newest(snapshots: readonly KubeObject[]): readonly string[] {
  const time = (one: KubeObject) => String(fieldOf(one, "status", "snapshotTime") ?? "");
  return snapshots
    .toSorted((a, b) => (time(a) < time(b) ? 1 : -1))
    .slice(0, 5)
    .map((one) => one.metadata.name);
}

/** What a backup took beyond the default, and a restore leaves out by default: without it less would come back. */
const widening = ["IncludeClusterResources", "includeRBACResources"];

function restoreTask(backupTask: unknown): Readonly<Record<string, unknown>> {
  const backup = String(fieldOf(backupTask, "name"));
  const name = backup === "manifest-backup" ? "manifest-restore" : `${backup}-restore`;
  const params = widening.flatMap((param) => {
    const value = fieldOf(backupTask, "params", param);
    return value === undefined ? [] : [[param, value]];
  });
  return { name, ...(params.length === 0 ? {} : { params: Object.fromEntries(params) }) };
}

async function sessionOf(
  kube: KubeConnection,
  repository: KubeObject,
  signal: AbortSignal,
): Promise<unknown> {
  const { name, namespace } = repository.metadata;
  const configurations = await listKind(kube, "BackupConfiguration", {
    signal,
    ...(namespace ? { namespace } : {}),
  });
  for (const configuration of configurations) {
    const sessions = fieldOf(configuration, "spec", "sessions");
    for (const session of Array.isArray(sessions) ? sessions : []) {
      const repositories = fieldOf(session, "repositories");
      if (Array.isArray(repositories) && repositories.some((one) => one.name === name)) return session;
    }
  }
  return undefined;
}
