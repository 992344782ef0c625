import type { KubeObject } from "../../api/meta.ts";
import { type UsagePolicy, usageAllowed } from "../../api/usage-policy.ts";
import { validateObject } from "../../api/validate.ts";
import { repositoryRequests } from "./kinds/backup-configuration.ts";
import { resolveTasks, unknownParameters } from "./resolve-task.ts";
import { asRecord, records, sameTarget, type TargetReference } from "./targets.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

/** What stands against a BackupConfiguration: its own fields, parameters, usage policies, directories of others. */
export function configurationErrors(configuration: KubeObject, world: World): readonly string[] {
  const sessions = records(asRecord(configuration["spec"])["sessions"]);
  return [
    ...validateObject(configuration)
      .filter((error) => error.severity === "error")
      .map((error) => `${error.path.join(".")}: ${error.message}`),
    ...sessions.flatMap((session) => taskErrors(session, world)),
    ...usageErrors(configuration, world),
    ...repositoryErrors(configuration, world),
  ];
}

function taskErrors(session: Json, world: World): readonly string[] {
  const addonInfo = asRecord(session["addon"]);
  const name = String(session["name"]);
  const unknown = unknownParameters(addonInfo, "backup", world).map(
    (parameter) =>
      `session ${name}: no task of addon ${String(addonInfo["name"])} has the parameter ${parameter}`,
  );
  // An Addon that is not there yet may come: status.dependencies says so, and nothing is wrong with the declaration.
  const known = world.observed.list("Addon").some((addon) => addon.metadata.name === addonInfo["name"]);
  const resolution = known ? resolveTasks(addonInfo, "backup", world) : undefined;
  return resolution?.ok === false ? [...unknown, `session ${name}: ${resolution.message}`] : unknown;
}

/** A BackupStorage or RetentionPolicy must allow the configuration's namespace to refer to it. */
function usageErrors(configuration: KubeObject, world: World): readonly string[] {
  const namespace = configuration.metadata.namespace ?? "";
  const labels =
    world.observed.get({ apiVersion: "v1", kind: "Namespace", name: namespace })?.metadata.labels ?? {};
  return records(asRecord(configuration["spec"])["backends"]).flatMap((backend) =>
    (
      [
        ["BackupStorage", backend["storageRef"]],
        ["RetentionPolicy", backend["retentionPolicy"]],
      ] as const
    ).flatMap(([kind, value]) => {
      const reference = asRecord(value);
      const where = String(reference["namespace"] ?? namespace);
      const found = world.observed.list(kind, where).find((one) => one.metadata.name === reference["name"]);
      if (found === undefined) return [];
      const policy = asRecord(found["spec"])["usagePolicy"] as UsagePolicy | undefined;
      if (usageAllowed(policy, where, { namespace, namespaceLabels: labels })) return [];
      return [
        `namespace ${namespace} is not allowed to refer to ${kind} ${where}/${String(reference["name"])}; check its usagePolicy`,
      ];
    }),
  );
}

/** A Repository keeps its target, its storage and its directory, and shares none of them. */
function repositoryErrors(configuration: KubeObject, world: World): readonly string[] {
  const namespace = configuration.metadata.namespace ?? "";
  const requests = repositoryRequests(configuration);
  return requests.flatMap((request) => {
    const live = world.observed
      .list("Repository", namespace)
      .find((one) => one.metadata.name === request.name);
    const storage = storageKey(request.spec, namespace);
    const errors: string[] = [];
    if (live !== undefined) {
      const spec = asRecord(live["spec"]);
      if (!sameTarget(reference(spec["appRef"]), namespace, reference(request.spec["appRef"]), namespace))
        errors.push(`Repository ${request.name} already exists with a different target`);
      if (storageKey(spec, namespace) !== storage)
        errors.push(`Repository ${request.name} already exists with a different storage`);
      if (directory(spec) !== directory(request.spec))
        errors.push(`Repository ${request.name} already exists with the directory ${String(spec["path"])}`);
    }
    const taken = [
      ...requests
        .filter((other) => other.name !== request.name)
        .map((other) => ({ name: other.name, namespace, spec: other.spec })),
      ...world.observed
        .list("Repository")
        .filter((other) => other.metadata.name !== request.name || other.metadata.namespace !== namespace)
        .map((other) => ({
          name: other.metadata.name,
          namespace: other.metadata.namespace ?? "",
          spec: asRecord(other["spec"]),
        })),
    ].find(
      (other) =>
        storageKey(other.spec, other.namespace) === storage &&
        directory(other.spec) === directory(request.spec),
    );
    if (taken !== undefined)
      errors.push(
        `Repository ${taken.namespace}/${taken.name} already uses the directory ${String(request.spec["path"])}`,
      );
    return errors;
  });
}

function reference(value: unknown): TargetReference {
  const { kind, name, namespace } = asRecord(value);
  return {
    name: String(name),
    ...(kind === undefined ? {} : { kind: String(kind) }),
    ...(namespace === undefined ? {} : { namespace: String(namespace) }),
  };
}

function storageKey(spec: Json, namespace: string): string {
  const storage = asRecord(spec["storageRef"]);
  return `${String(storage["namespace"] ?? namespace)}/${String(storage["name"])}`;
}

function directory(spec: Json): string {
  return String(spec["path"] ?? "").replace(/^\/+|\/+$/g, "");
}
