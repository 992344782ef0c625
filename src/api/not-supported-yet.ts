import type { FieldError, FieldPath } from "./field-error.ts";
import { databaseKinds } from "./manifest-options.ts";

/**
 * Fields that are right on the wire and that this release does not act on, in one table. An error where going on
 * without them would do something else than was asked for; a warning where only something is left out.
 */
export type Unsupported = {
  readonly kind: string;
  /** `*` stands for every entry of a list or map; the whole kind when empty. */
  readonly path: readonly string[];
  /** Texts that are meant; every value when absent. */
  readonly values?: readonly string[];
  /** Only in objects where another field has this text. */
  readonly where?: { readonly path: readonly string[]; readonly is: string };
  readonly severity: "error" | "warning";
  /** One clause that follows the field's name. */
  readonly says: string;
  readonly next: string;
};

const session = ["spec", "sessions", "*"];
const volumeTasks = ["volume-snapshot", "volume-snapshot-restore", "VolumeSnapshotRestore", "volume-clone"];

const addonHolders = [
  { kind: "BackupConfiguration", path: [...session, "addon"] },
  { kind: "RestoreSession", path: ["spec", "addon"] },
];

/** Fields with one sentence and one remedy for all of them. */
function warnings(
  kind: string,
  path: readonly string[],
  fields: readonly string[],
  { says, next }: Pick<Unsupported, "says" | "next">,
): readonly Unsupported[] {
  return fields.map((field) => ({ kind, path: [...path, field], severity: "warning", says, next }));
}

function restartPolicy(kind: string, path: readonly string[]): Unsupported {
  return {
    kind,
    path: [...path, "restartPolicy"],
    values: ["Always", "OnFailure"],
    severity: "warning",
    says: "is not taken over: a pod of ours that fails is not started again by itself",
    next: "Take it out, and say in retryConfig how often a failed session is tried again.",
  };
}

const noPriority = {
  says: "has no effect in this release",
  next: "Limit the container by its resources.",
};
const priorities = ["nice", "ionice"];

/** Kinds that are right on the wire and have no life yet. */
const restingKinds: readonly Unsupported[] = [
  {
    kind: "HookTemplate",
    next: "Make the application write consistent data by itself, or stop it around the backup.",
  },
  {
    kind: "BackupBlueprint",
    next: "Declare a BackupConfiguration for each workload that names it by annotation.",
  },
  { kind: "BackupBatch", next: "Declare a BackupConfiguration for each target." },
  {
    kind: "BackupVerifier",
    next: "Try a restore into a namespace of its own from time to time, by a RestoreSession.",
  },
  {
    kind: "BackupVerificationSession",
    next: "Declare a RestoreSession of the Snapshot into a namespace of its own.",
  },
].map(({ kind, next }) => ({
  kind,
  path: [],
  severity: "warning",
  says: "is a kind that this release does not act on",
  next,
}));

export const notSupportedYet: readonly Unsupported[] = [
  ...restingKinds,
  {
    kind: "BackupStorage",
    path: ["spec", "storage", "provider"],
    values: ["gcs", "azure"],
    severity: "error",
    says: "is a provider that this release does not reach",
    next: "Use s3 or local.",
  },
  {
    kind: "BackupStorage",
    path: ["spec", "runtimeSettings"],
    where: { path: ["spec", "storage", "provider"], is: "s3" },
    severity: "warning",
    says: "has no effect: no Job works for an object store, Holdfast writes there itself",
    next: "Take it out; the Jobs of backups have their settings in spec.sessions[].addon.",
  },
  ...warnings("BackupStorage", ["spec", "runtimeSettings", "pod"], ["serviceAccountAnnotations"], {
    says: "is not put on the ServiceAccounts of a storage's Jobs by this release",
    next: "Take it out.",
  }),
  ...warnings("BackupStorage", ["spec", "runtimeSettings", "container"], priorities, noPriority),
  ...warnings("Function", ["spec", "runtimeSettings"], priorities, noPriority),
  {
    kind: "Function",
    path: ["spec", "availableVersions"],
    severity: "warning",
    says: "is about versions of databases, and this release backs up none",
    next: "Write the image's tag down.",
  },
  ...warnings(
    "BackupConfiguration",
    [...session, "scheduler", "jobTemplate", "template"],
    ["metadata", "controller"],
    {
      says: "is not put on the Jobs that start sessions",
      next: "Label the BackupConfiguration, whose labels they get.",
    },
  ),
  ...warnings(
    "BackupConfiguration",
    [...session, "scheduler", "jobTemplate", "template", "spec"],
    ["containers"],
    { says: "is not added to the Jobs that start sessions", next: "Take it out." },
  ),
  restartPolicy("BackupConfiguration", [...session, "scheduler", "jobTemplate", "template", "spec"]),
  {
    kind: "BackupConfiguration",
    path: [...session, "addon", "tasks", "*", "targetVolumes", "volumeClaimTemplates", "*"],
    severity: "error",
    says: "would be made by a restore only, and a backup needs volumes that are there",
    next: "Name the volumes in targetVolumes.volumes, or leave targetVolumes out.",
  },
  {
    kind: "BackupConfiguration",
    path: [...session, "hooks", "preBackup", "*"],
    severity: "error",
    says: "would have to run before the backup, and this release runs no hooks",
    next: "Take the hook out, and make the application write consistent data by itself.",
  },
  {
    kind: "BackupConfiguration",
    path: [...session, "hooks", "postBackup", "*"],
    severity: "warning",
    says: "is not run: this release runs no hooks",
    next: "Take the hook out, or wait for a release that runs it.",
  },
  {
    kind: "BackupConfiguration",
    path: [...session, "repositories", "*", "backupVerifier"],
    severity: "warning",
    says: "is not used: this release tries no restores by itself",
    next: "Take it out, and try a restore into a namespace of its own from time to time.",
  },
  {
    kind: "BackupSession",
    path: ["spec", "invoker", "kind"],
    values: ["BackupBatch"],
    severity: "error",
    says: "is a kind that this release does not act on",
    next: "Declare a BackupConfiguration for each target.",
  },
  {
    kind: "RestoreSession",
    path: [
      "spec",
      "addon",
      "tasks",
      "*",
      "targetVolumes",
      "volumeClaimTemplates",
      "*",
      "metadata",
      "namespace",
    ],
    severity: "warning",
    says: "is not read: claims are made in the namespace of the RestoreSession",
    next: "Take it out, or declare the RestoreSession in that namespace.",
  },
  {
    kind: "RestoreSession",
    path: ["spec", "manifestOptions", "workload", "restoreNamespace"],
    where: { path: ["spec", "addon", "name"], is: "kubedump-addon" },
    severity: "error",
    says: "is for manifests of workload-addon, and kubedump-addon restores namespaces as they were",
    next: "Take it out, and choose namespaces by the parameters of manifest-restore.",
  },
  {
    kind: "RestoreSession",
    path: ["spec", "dataSource", "pitr"],
    severity: "error",
    says: "asks for a point in time, and this release restores Snapshots only",
    next: "Name a Snapshot in spec.dataSource.snapshot.",
  },
  {
    kind: "RestoreSession",
    path: ["spec", "hooks", "preRestore", "*"],
    severity: "error",
    says: "would have to run before the restore, and this release runs no hooks",
    next: "Take the hook out, and prepare the target by hand.",
  },
  {
    kind: "RestoreSession",
    path: ["spec", "hooks", "postRestore", "*"],
    severity: "warning",
    says: "is not run: this release runs no hooks",
    next: "Take the hook out, or wait for a release that runs it.",
  },
  ...databaseKinds.map(
    (database): Unsupported => ({
      kind: "RestoreSession",
      path: ["spec", "manifestOptions", database],
      severity: "error",
      says: "is about a database of KubeDB, and this release restores none",
      next: "Take it out.",
    }),
  ),
  ...addonHolders.flatMap(({ kind, path }): readonly Unsupported[] => [
    {
      kind,
      path: [...path, "tasks", "*", "name"],
      values: volumeTasks,
      severity: "error",
      says: "works on volumes as a whole, and this release moves files only",
      next: "Use logical-backup and logical-backup-restore.",
    },
    {
      kind,
      path: [...path, "tasks", "*", "variables", "*", "valueFrom"],
      severity: "error",
      says: "is not looked up by this release",
      next: "Write the value down, or put it into containerRuntimeSettings.env.",
    },
    restartPolicy(kind, [...path, "jobTemplate", "spec"]),
    ...warnings(kind, [...path, "containerRuntimeSettings"], priorities, noPriority),
  ]),
];

/** What an object asks for that this release does not do. */
export function unsupportedErrors(object: {
  readonly kind: string;
  readonly [field: string]: unknown;
}): readonly FieldError[] {
  return notSupportedYet
    .filter((entry) => entry.kind === object.kind && holds(object, entry.where))
    .flatMap(({ path, values, severity, says, next }) =>
      found(object, path)
        .filter(({ value }) => values === undefined || (typeof value === "string" && values.includes(value)))
        .map(({ path: at, value }) => ({
          path: at,
          message: `${nameOf(at, value)} ${says}`,
          severity,
          reason: "NotSupportedYet",
          next,
        })),
    );
}

function holds(object: unknown, where: Unsupported["where"]): boolean {
  return where === undefined || found(object, where.path).some(({ value }) => value === where.is);
}

type Found = { readonly path: FieldPath; readonly value: unknown };

/** The fields of a value that a path means; `at` is the path that led to the value. */
function found(value: unknown, path: readonly string[], at: FieldPath = []): readonly Found[] {
  if (value === undefined || value === null) return nothing;
  const name = path[at.length];
  if (name === undefined) return [{ path: at, value }];
  if (typeof value !== "object") return nothing;
  if (Array.isArray(value))
    return name === "*" ? value.flatMap((item, index) => found(item, path, [...at, index])) : nothing;
  if (name === "*")
    return Object.entries(value).flatMap(([field, inner]) => found(inner, path, [...at, field]));
  if (!Object.hasOwn(value, name)) return nothing;
  return found((value as Readonly<Record<string, unknown>>)[name], path, [...at, name]);
}

const nothing: readonly Found[] = [];

/** The value that was written, or the kind's, entry's or field's own name. */
function nameOf(path: FieldPath, value: unknown): string {
  if (path.length === 0) return String(new Map(Object.entries(Object(value))).get("kind"));
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "name" in value && typeof path.at(-1) === "number")
    return String(value.name);
  return String(path.at(-1));
}
