import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import type { SnapshotComponent } from "../api/snapshot.ts";
import { HoldfastError, messageOf } from "../base/errors.ts";
import type { JobContext } from "./job-context.ts";
import { readNeeded } from "./read-object.ts";
import { createReporter, type Reporter } from "./report.ts";
import { openRepository, type RepositoryAccess } from "./repository-access.ts";
import { componentPath } from "./storage/backend-layout.ts";
import { fieldAt, listAt, textAt } from "./storage/fields.ts";

/** One Snapshot that this job fills: a session has one per repository. */
export type SnapshotTask = {
  readonly snapshot: KubeObject;
  /** Below the repository's directory. */
  readonly path: string;
  readonly reporter: Reporter<SnapshotComponent>;
  /** What opens the repository, or why it cannot be opened. */
  readonly access: RepositoryAccess | HoldfastError;
};

export async function readSession(context: JobContext, namespace: string, name: string): Promise<KubeObject> {
  return await readNeeded(context, resourceOf("BackupSession"), { namespace, name }, "this job");
}

/** The BackupConfiguration that a session was made for. */
export async function readInvoker(context: JobContext, session: KubeObject): Promise<KubeObject> {
  const shown = nameOf(refOf(session));
  const kind = textAt(session, "spec", "invoker", "kind");
  if (kind !== "BackupConfiguration") {
    throw new HoldfastError("InvokerNotSupported", `${shown} is of a ${kind ?? "nameless kind"}`, {
      disposition: "stall",
      next: "Use a BackupConfiguration.",
    });
  }
  const name = {
    namespace: session.metadata.namespace ?? "",
    name: textAt(session, "spec", "invoker", "name") ?? "",
  };
  return await readNeeded(context, resourceOf("BackupConfiguration"), name, shown);
}

/**
 * The Snapshots of a session whose component still has to be made. One that has it already (the job was killed
 * after its report) is left alone, so that running again is harmless.
 */
export async function readSnapshotTasks(
  context: JobContext,
  session: KubeObject,
  component: string,
): Promise<readonly SnapshotTask[]> {
  const namespace = session.metadata.namespace ?? "";
  const names = listAt(session, "status", "snapshots").flatMap((entry) => textAt(entry, "name") ?? []);
  if (names.length === 0) {
    throw new HoldfastError(
      "SnapshotsNotEnsured",
      `${nameOf(refOf(session))} has no Snapshots in status.snapshots`,
      { disposition: "retry", next: "Let the controller make the Snapshots before the job." },
    );
  }
  const tasks: SnapshotTask[] = [];
  for (const name of names) {
    const snapshot = await readNeeded(
      context,
      resourceOf("Snapshot"),
      { namespace, name },
      nameOf(refOf(session)),
    );
    const done = fieldAt(snapshot, "status", "components", component, "phase") === "Succeeded";
    if (done) context.log(`${nameOf(refOf(snapshot))} has its component ${component} already`);
    else tasks.push(await taskOf(context, snapshot, component));
  }
  return tasks;
}

async function taskOf(context: JobContext, snapshot: KubeObject, component: string): Promise<SnapshotTask> {
  const { namespace = "", name } = snapshot.metadata;
  const session = textAt(snapshot, "spec", "session") ?? "";
  const version = textAt(snapshot, "spec", "version") ?? "v1";
  const target = { resource: resourceOf("Snapshot"), namespace, name, component };
  return {
    snapshot,
    path: componentPath(version, session, component),
    reporter: createReporter(context, target),
    access: await openOrError(context, snapshot),
  };
}

async function openOrError(
  context: JobContext,
  snapshot: KubeObject,
): Promise<RepositoryAccess | HoldfastError> {
  const { namespace = "" } = snapshot.metadata;
  const name = textAt(snapshot, "spec", "repository") ?? "";
  try {
    return await openRepository(context, { namespace, name }, nameOf(refOf(snapshot)));
  } catch (thrown) {
    if (thrown instanceof HoldfastError && !context.signal.aborted) return thrown;
    throw thrown;
  }
}

/**
 * The restic snapshot to compare `hostPath` with: that of the newest Snapshot of the same repository and session
 * whose component succeeded. Only saves reading, so that not being allowed to look is no failure.
 */
export async function findParent(
  context: JobContext,
  snapshot: KubeObject,
  component: string,
): Promise<(hostPath: string) => string | undefined> {
  const candidates: KubeObject[] = [];
  const { namespace = "" } = snapshot.metadata;
  const same = (other: KubeObject, field: string) =>
    textAt(other, "spec", field) === textAt(snapshot, "spec", field);
  try {
    for await (const page of context.kube.list(resourceOf("Snapshot"), {
      namespace,
      signal: context.signal,
    })) {
      candidates.push(
        ...page.items.filter(
          (other) =>
            same(other, "repository") &&
            same(other, "session") &&
            fieldAt(other, "status", "components", component, "phase") === "Succeeded",
        ),
      );
    }
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    context.log(`no restic snapshot to compare with: ${messageOf(thrown)}`);
  }
  const newest = candidates.toSorted((a, b) => (ageOf(a) < ageOf(b) ? 1 : -1))[0];
  const stats = listAt(newest, "status", "components", component, "resticStats").map(savedPath);
  return (hostPath) => stats.find((one) => one?.hostPath === hostPath)?.id;
}

/** Id and path of an entry of resticStats; builds of KubeStash before `summary` wrote them into the entry itself. */
export function savedPath(stats: unknown): { readonly id: string; readonly hostPath: string } | undefined {
  const id = textAt(stats, "summary", "id") ?? textAt(stats, "id");
  const hostPath = textAt(stats, "summary", "hostPath") ?? textAt(stats, "hostPath");
  return id === undefined || hostPath === undefined ? undefined : { id, hostPath };
}

function ageOf(snapshot: KubeObject): string {
  return textAt(snapshot, "status", "snapshotTime") ?? snapshot.metadata.creationTimestamp ?? "";
}
