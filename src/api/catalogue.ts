import type { Addon, AddonTask } from "./addon.ts";
import type { AddonFunction } from "./function.ts";
import { managedByHoldfast, managedByLabel } from "./labels.ts";
import { filterParams, type ManifestParam, restoreParams } from "./manifest-params.ts";

/**
 * The Addons and Functions that Holdfast brings. Names of addons, tasks and parameters are KubeStash's; the
 * container is Holdfast's own image, whose first arguments are `job <name>`. Tasks that Holdfast cannot do are
 * not in it.
 */
type Parameter = NonNullable<AddonTask["parameters"]>[number];

const enableCache: Parameter = {
  name: "enableCache",
  usage: "Whether restic keeps a cache.",
  default: "true",
};
const scratchDir: Parameter = {
  name: "scratchDir",
  usage: "Directory for temporary files.",
  default: "/kubestash-tmp",
};
const scratch = [enableCache, scratchDir];

const exclude: Parameter = {
  name: "exclude",
  usage: "restic patterns of files to leave out, comma separated.",
  default: "",
};
const include: Parameter = {
  name: "include",
  usage: "restic patterns of files to restore, comma separated; all when empty.",
  default: "",
};
const includeRbac: Parameter = {
  name: "includeRBACResources",
  usage: "Whether the roles and role bindings of the workload's ServiceAccount belong to it.",
  default: "false",
};
const overrideWorkload: Parameter = {
  name: "overrideResources",
  usage: "Whether objects that exist are overwritten.",
  default: "false",
};

const filters = Object.values(filterParams).map(parameterOf);
const restoreOptions = Object.values(restoreParams).map(parameterOf);

export const kubedumpAddon = addon("kubedump-addon", {
  backupTasks: [task("manifest-backup", "kubedump-backup", true, [...scratch, ...filters])],
  restoreTasks: [
    task("manifest-restore", "kubedump-restore", true, [...scratch, ...filters, ...restoreOptions]),
  ],
});

export const workloadAddon = addon("workload-addon", {
  backupTasks: [
    task("logical-backup", "workload-backup", false, [
      {
        name: "paths",
        usage: "Paths to save, comma separated; each is one restic snapshot.",
        required: true,
      },
      exclude,
      ...scratch,
    ]),
    task("manifest-backup", "manifest-backup", true, [includeRbac, ...scratch]),
  ],
  restoreTasks: [
    task("logical-backup-restore", "workload-restore", false, [exclude, include, ...scratch]),
    task("manifest-restore", "manifest-restore", true, [includeRbac, overrideWorkload, ...scratch]),
  ],
});

const dataVolume = {
  volumeTemplate: [
    {
      name: "kubestash-data-volume",
      usage: "The claim that is saved or restored.",
      source: { persistentVolumeClaim: { claimName: "${PVC_NAME}" } },
    },
  ],
  volumeMounts: [{ name: "kubestash-data-volume", mountPath: "/kubestash-data" }],
};

export const pvcAddon = addon("pvc-addon", {
  backupTasks: [
    {
      ...task("logical-backup", "pvc-backup", true, [
        {
          name: "paths",
          usage: "Paths to save, comma separated; each is one restic snapshot.",
          default: "/kubestash-data",
        },
        exclude,
        ...scratch,
      ]),
      ...dataVolume,
    },
  ],
  restoreTasks: [{ ...task("logical-backup-restore", "pvc-restore", true, scratch), ...dataVolume }],
});

export const catalogueAddons: readonly Addon[] = [kubedumpAddon, workloadAddon, pvcAddon];

const backupFlags = { namespace: "namespace", backupsession: "backupSession" };
const restoreFlags = { namespace: "namespace", restoresession: "restoreSession", snapshot: "snapshot" };
const scratchFlags = { "enable-cache": "enableCache", "scratch-dir": "scratchDir" };
const filterFlags = flagsOf(Object.values(filterParams));
const rbacFlags = { "include-rbac-resources": "includeRBACResources" };

export const catalogueFunctions: readonly AddonFunction[] = [
  functionOf("kubedump-backup", { ...backupFlags, ...scratchFlags, ...filterFlags }),
  functionOf("kubedump-restore", {
    ...restoreFlags,
    ...scratchFlags,
    ...filterFlags,
    ...flagsOf(Object.values(restoreParams)),
  }),
  functionOf("workload-backup", { ...backupFlags, ...scratchFlags, paths: "paths", exclude: "exclude" }),
  functionOf("workload-restore", {
    ...restoreFlags,
    ...scratchFlags,
    exclude: "exclude",
    include: "include",
  }),
  functionOf("pvc-backup", { ...backupFlags, ...scratchFlags, paths: "paths", exclude: "exclude" }),
  functionOf("pvc-restore", { ...restoreFlags, ...scratchFlags }),
  functionOf("manifest-backup", { ...backupFlags, ...scratchFlags, ...rbacFlags }),
  functionOf("manifest-restore", {
    ...restoreFlags,
    ...scratchFlags,
    ...rbacFlags,
    "override-resources": "overrideResources",
  }),
];

function parameterOf({ name, usage, default: value }: ManifestParam<unknown>): Parameter {
  return { name, usage, default: value };
}

function flagsOf(params: readonly ManifestParam<unknown>[]): Readonly<Record<string, string>> {
  return Object.fromEntries(params.map(({ flag, name }) => [flag, name]));
}

function addon(name: string, spec: Addon["spec"]): Addon {
  return {
    apiVersion: "addons.kubestash.com/v1alpha1",
    kind: "Addon",
    metadata: { name, labels: { [managedByLabel]: managedByHoldfast } },
    spec,
  };
}

function task(
  name: string,
  functionName: string,
  singleton: boolean,
  parameters: readonly Parameter[],
): AddonTask {
  return { name, function: functionName, driver: "Restic", executor: "Job", singleton, parameters };
}

/** A job of Holdfast's own image; each flag is a variable, empty when nothing sets it. */
function functionOf(job: string, flags: Readonly<Record<string, string>>): AddonFunction {
  return {
    apiVersion: "addons.kubestash.com/v1alpha1",
    kind: "Function",
    metadata: { name: job, labels: { [managedByLabel]: managedByHoldfast } },
    spec: {
      image: "${imageRegistry:=ghcr.io}/${imageRepo:=holdfast-dev/holdfast}:${imageTag:=0.1.0}",
      args: [
        "job",
        job,
        ...Object.entries(flags).map(
          ([flag, variable]) => `--${flag}=\${${variable}:=${otherwise(variable)}}`,
        ),
      ],
    },
  };
}

/** What stands in a flag when its variable is unset: the parameter's own default. */
function otherwise(variable: string): string {
  if (variable === "namespace") return "default";
  if (variable === "enableCache") return "true";
  return variable === "scratchDir" ? "/kubestash-tmp" : "";
}
