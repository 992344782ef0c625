import { asRecord, isFields, records } from "../../base/json.ts";
import type { BackupConfiguration, SessionRepository } from "../backup-configuration.ts";
import type { BackupStorage } from "../backup-storage.ts";
import { type FieldError, type FieldPath, failure, required } from "../field-error.ts";
import { refOf } from "../meta.ts";
import type { ObjectReference, TypedObjectReference } from "../references.ts";
import type { Repository } from "../repository.ts";
import type { RetentionPolicy } from "../retention-policy.ts";
import { type UsagePolicy, usageAllowed } from "../usage-policy.ts";
import type { Relation } from "./rule.ts";
import { sharedFields, sharedValue } from "./shared-repository.ts";

/** Asked of a BackupConfiguration whose backends have their defaults. */
export const backendsAreComplete: Relation<[configuration: BackupConfiguration]> = {
  says: "There is a backend, and each has a storageRef and a retentionPolicy, given or by default.",
  check: ({ spec: { backends = [] } }) => {
    const path = ["spec", "backends"];
    if (backends.length === 0)
      return [required(path, "there is no backend and no default BackupStorage", "Name a BackupStorage.")];
    return backends.flatMap(({ name, storageRef, retentionPolicy }, index) => [
      ...(storageRef === undefined
        ? [
            required(
              [...path, index, "storageRef"],
              `the backend ${name} has no storageRef`,
              "Name a BackupStorage.",
            ),
          ]
        : []),
      ...(retentionPolicy === undefined
        ? [
            required(
              [...path, index, "retentionPolicy"],
              `the backend ${name} has no retentionPolicy, and there is no default one`,
              "Name a RetentionPolicy.",
            ),
          ]
        : []),
    ]);
  },
};

/** Where a Repository's data is: two of one place would be one another's. Also of one that no schema has seen. */
export function placeOfData({ metadata, spec }: Repository): string {
  const { storageRef, path } = asRecord(spec);
  const storage = isFields(storageRef) ? (storageRef as ObjectReference) : undefined;
  return placeText(storage, metadata.namespace ?? "", path);
}

/** Where the Repositories are to be that a BackupConfiguration names. */
export function placesMeant(configuration: BackupConfiguration): readonly string[] {
  const { namespace = "" } = configuration.metadata;
  return configuration.spec.sessions
    .flatMap((session) => session.repositories)
    .map(({ backend, directory }) => placeText(storageOf(configuration, backend), namespace, directory));
}

function placeText(storage: ObjectReference | undefined, namespace: string, path: unknown): string {
  return JSON.stringify([storage?.namespace ?? namespace, storage?.name, plainPath(path)]);
}

/** `repositories` are those of the cluster that have one of its names or of its places. A Repository that is not there yet is no error. */
export const repositoriesAreOwn: Relation<
  [configuration: BackupConfiguration, repositories: readonly Repository[]]
> = {
  says: "An existing Repository of a name has the same target and storage, and no other Repository of the cluster has its storage and directory.",
  check: (configuration, repositories) => {
    const own = configuration.metadata.namespace ?? "";
    return configuration.spec.sessions.flatMap((session, at) =>
      session.repositories.flatMap(({ name, backend, directory }, index) => {
        const path = ["spec", "sessions", at, "repositories", index];
        const storageRef = storageOf(configuration, backend);
        const existing = repositories.find(
          ({ metadata }) => metadata.namespace === own && metadata.name === name,
        );
        const others = repositories.filter((one) => one !== existing);
        return [
          ...(existing === undefined ? [] : existingErrors(configuration, existing, storageRef, path)),
          ...others
            .filter(
              (one) => storageRef !== undefined && placeOfData(one) === placeText(storageRef, own, directory),
            )
            .slice(0, 1)
            .map(({ metadata }) =>
              failure(
                "Conflict",
                [...path, "directory"],
                `Repository ${metadata.namespace}/${metadata.name} has this directory already`,
                "Give the repository a directory of its own.",
              ),
            ),
        ];
      }),
    );
  },
};

function existingErrors(
  { metadata, spec }: BackupConfiguration,
  existing: Repository,
  storageRef: ObjectReference | undefined,
  path: FieldPath,
): readonly FieldError[] {
  const own = metadata.namespace ?? "";
  const next = "Give the repository another name.";
  const errors: FieldError[] = [];
  if (!sameTarget(existing.spec.appRef, spec.target, own))
    errors.push(
      failure("Conflict", [...path, "name"], "the Repository of this name has another target", next),
    );
  if (storageRef !== undefined && !sameObject(existing.spec.storageRef, own, storageRef, own))
    errors.push(
      failure("Conflict", [...path, "backend"], "the Repository of this name has another storage", next),
    );
  return errors;
}

/** `others` are the other BackupConfigurations, `repositories` those that are there. */
export const sharersAgree: Relation<
  [
    configuration: BackupConfiguration,
    others: readonly BackupConfiguration[],
    repositories: readonly Repository[],
  ]
> = {
  says: "BackupConfigurations that share a Repository give it the same encryptionSecret and deletionPolicy; of two that do not, the one is refused that differs from the Repository that is there.",
  check: (configuration, others, repositories) => {
    const { namespace = "" } = configuration.metadata;
    const isNeighbour = ({ metadata }: BackupConfiguration) =>
      metadata.namespace === namespace && metadata.name !== configuration.metadata.name;
    return configuration.spec.sessions.flatMap((session, at) =>
      session.repositories.flatMap((repository, index) => {
        const existing = repositories.find(
          ({ metadata }) => metadata.namespace === namespace && metadata.name === repository.name,
        );
        return sharedFields.flatMap((field) => {
          const own = sharedValue(repository[field], namespace);
          if (existing !== undefined && sharedValue(existing.spec[field], namespace) === own) return [];
          const other = others.find(
            (one) =>
              isNeighbour(one) &&
              sharing(one, repository.name).some((theirs) => sharedValue(theirs[field], namespace) !== own),
          );
          if (other === undefined) return [];
          const message = `the Repository ${repository.name} has another ${field} in BackupConfiguration ${namespace}/${other.metadata.name}`;
          const path = ["spec", "sessions", at, "repositories", index, field];
          const next = "Write the same in both, or give the repository another name and directory.";
          return [{ ...failure("Conflict", path, message, next), other: refOf(other) }];
        });
      }),
    );
  },
};

/** Of a neighbour that no schema has seen, too: what cannot be read names no Repository. */
function sharing({ spec }: BackupConfiguration, name: string): readonly SessionRepository[] {
  const named = records(asRecord(spec)["sessions"]).flatMap((session) => records(session["repositories"]));
  return named.filter((one) => one["name"] === name) as readonly unknown[] as readonly SessionRepository[];
}

function storageOf({ spec: { backends = [] } }: BackupConfiguration, backend: string | undefined) {
  const found =
    backend === undefined || backend === "" ? backends[0] : backends.find(({ name }) => name === backend);
  return found?.storageRef;
}

function sameObject(
  a: ObjectReference | undefined,
  aNamespace: string,
  b: ObjectReference | undefined,
  bNamespace: string,
): boolean {
  if (a === undefined || b === undefined) return false;
  return a.name === b.name && (a.namespace ?? aNamespace) === (b.namespace ?? bNamespace);
}

function sameTarget(
  appRef: TypedObjectReference,
  target: TypedObjectReference | undefined,
  namespace: string,
): boolean {
  if (target === undefined) return appRef.name === "na" && (appRef.kind ?? "") === "";
  return (
    (appRef.apiGroup ?? "") === (target.apiGroup ?? "") &&
    appRef.kind === target.kind &&
    sameObject(appRef, namespace, target, namespace)
  );
}

function plainPath(text: unknown): string {
  return (typeof text === "string" ? text : "").replaceAll(/^\/+|\/+$/g, "");
}

export type PolicyHolders = {
  readonly storages: readonly BackupStorage[];
  readonly retentionPolicies: readonly RetentionPolicy[];
  /** Labels of the BackupConfiguration's Namespace. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
};

/** What is not there yet is no error here. */
export const usageIsAllowed: Relation<[configuration: BackupConfiguration, holders: PolicyHolders]> = {
  says: "The usagePolicy of each BackupStorage and RetentionPolicy allows the BackupConfiguration's namespace.",
  check: ({ metadata, spec: { backends = [] } }, { storages, retentionPolicies, namespaceLabels }) => {
    const referrer = { namespace: metadata.namespace ?? "", namespaceLabels };
    const refused = (
      ref: ObjectReference | undefined,
      holders: readonly (BackupStorage | RetentionPolicy)[],
    ): string | undefined => {
      const namespace = ref?.namespace ?? referrer.namespace;
      const holder = holders.find(
        (one) => one.metadata.name === ref?.name && one.metadata.namespace === namespace,
      );
      if (holder === undefined) return undefined;
      const policy: UsagePolicy | undefined = holder.spec.usagePolicy;
      return usageAllowed(policy, namespace, referrer)
        ? undefined
        : `${holder.kind} ${namespace}/${holder.metadata.name}`;
    };
    return backends.flatMap((backend, index) =>
      [
        { field: "storageRef", name: refused(backend.storageRef, storages) },
        { field: "retentionPolicy", name: refused(backend.retentionPolicy, retentionPolicies) },
      ].flatMap(({ field, name }) =>
        name === undefined
          ? []
          : [
              failure(
                "Refused",
                ["spec", "backends", index, field],
                `${name} may not be used from namespace ${referrer.namespace}`,
                "Check its usagePolicy.",
              ),
            ],
      ),
    );
  },
};

export const backupConfigurationRelations = [
  backendsAreComplete,
  repositoriesAreOwn,
  sharersAgree,
  usageIsAllowed,
] as const;
