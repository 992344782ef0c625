import type { KubeObject } from "./meta.ts";
import { withoutEdges } from "./names.ts";

export const managedByLabel = "app.kubernetes.io/managed-by";
export const managedByHoldfast = "holdfast";

/** Labels that KubeStash's tools select on. */
export const kubestashLabels = {
  invokerName: "kubestash.com/invoker-name",
  invokerNamespace: "kubestash.com/invoker-namespace",
  invokerKind: "kubestash.com/invoker-kind",
  sessionName: "kubestash.com/session-name",
  repositoryName: "kubestash.com/repo-name",
  appKind: "kubestash.com/app-ref-kind",
  appNamespace: "kubestash.com/app-ref-namespace",
  appName: "kubestash.com/app-ref-name",
  app: "kubestash.com/app",
} as const;

/** Annotation of a Secret: namespaces, with commas between them, whose data may be encrypted with it; `*` is all. */
export const usableFrom = "holdfast.dev/usable-from";

export const recordFinalizer = "holdfast.dev/record";
export const cleanupFinalizer = "kubestash.com/cleanup";
/** On a Job of a restore until its RestoreSession says that it was made. */
export const startFinalizer = "holdfast.dev/started";

const invokersWithKind = ["BackupStorage", "Repository", "Snapshot"];

/** Labels of what is made for an object: its own ones, who manages them, and the object as invoker. */
export function offshootLabels(object: KubeObject): Readonly<Record<string, string>> {
  const { name, namespace, labels } = object.metadata;
  return {
    ...labels,
    [managedByLabel]: managedByHoldfast,
    [kubestashLabels.invokerName]: labelValue(name),
    ...(namespace === undefined ? {} : { [kubestashLabels.invokerNamespace]: namespace }),
    ...(invokersWithKind.includes(object.kind) ? { [kubestashLabels.invokerKind]: object.kind } : {}),
    ...(object.kind === "BackupSession" ? sessionLabel(object["spec"]) : {}),
  };
}

function sessionLabel(spec: unknown): Readonly<Record<string, string>> {
  const session = typeof spec === "object" && spec !== null && "session" in spec ? spec.session : undefined;
  return typeof session === "string" ? { [kubestashLabels.sessionName]: labelValue(session) } : {};
}

/**
 * A name of up to 253 characters as the value of a label, which has room for 63: by KubeStash's rule the first 32 and
 * the last 31 characters, without a `-` or `.` at an end. Two long names can have one value.
 */
export function labelValue(name: string): string {
  if (name.length <= 63) return name;
  return withoutEdges(`${name.slice(0, 32)}${name.slice(-31)}`);
}
