import type { BackupConfiguration } from "../../api/backup-configuration.ts";
import { errorText, type FieldError, failure } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/meta.ts";
import type { Repository } from "../../api/repository.ts";
import {
  backendsAreComplete,
  placeOfData,
  placesMeant,
  repositoriesAreOwn,
  sharersAgree,
  usageIsAllowed,
} from "../../api/rules/backup-configuration-relations.ts";
import { repositoryPathIsFixed } from "../../api/rules/repository-rules.ts";
import { validateObject } from "../../api/validate.ts";
import { asRecord, records } from "../../base/json.ts";
import { holdersFor } from "./effective-configuration.ts";
import { storageAt } from "./kinds/repository.ts";
import { backendOf, repositoriesNamed, repositoryRequests } from "./repository-requests.ts";
import { resolveTasks, unknownParameters } from "./resolve-task.ts";
import { secretRefusal } from "./secret-use.ts";
import { sharersByRepository } from "./sharers.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * What stands against a BackupConfiguration whose backends have their defaults: its own fields, then what the rules
 * of its kind say of it among others, and tasks and parameters that its addons do not have.
 */
export function configurationErrors(configuration: KubeObject, world: World): readonly string[] {
  const own = world.observed.derived
    .of(configuration, validateObject)
    .filter((error) => error.severity === "error");
  // A relation may rely on the types that the schema promises.
  const errors = own.length > 0 ? own : relationErrors(configuration as BackupConfiguration, world);
  const sessions = records(asRecord(configuration["spec"])["sessions"]);
  return [...errors.map(errorText), ...sessions.flatMap((session) => taskErrors(session, world))];
}

function relationErrors(configuration: BackupConfiguration, world: World): readonly FieldError[] {
  const holders = holdersFor(configuration, world);
  const repositories = repositoriesNear(configuration, world);
  return [
    ...backendsAreComplete.check(configuration),
    ...usageIsAllowed.check(configuration, holders),
    ...repositoriesAreOwn.check(configuration, repositories),
    ...movedDirectories(configuration, repositories),
    ...sharersAgree.check(configuration, neighboursOf(configuration, world), repositories),
    ...secretErrors(configuration, world),
  ];
}

/** Those that share a Repository. */
function neighboursOf(configuration: KubeObject, { observed }: World): readonly BackupConfiguration[] {
  const sharers = observed.indexed("BackupConfiguration", sharersByRepository);
  const near = repositoriesNamed(configuration).flatMap((name) => sharers.get(name) ?? []);
  return [...new Set(near)] as readonly KubeObject[] as readonly BackupConfiguration[];
}

/** Those of the names that it gives, and whatever stands in the places that it means. */
function repositoriesNear(configuration: BackupConfiguration, { observed }: World): readonly Repository[] {
  const near = [
    ...repositoriesNamed(configuration).flatMap((name) => observed.keyed("Repository", ownName, name)),
    ...placesMeant(configuration).flatMap((place) => observed.keyed("Repository", ownPlace, place)),
  ];
  return [...new Set(near)] as readonly KubeObject[] as readonly Repository[];
}

function ownName({ metadata }: KubeObject): readonly string[] {
  return [`${metadata.namespace ?? ""}/${metadata.name}`];
}

function ownPlace(repository: KubeObject): readonly string[] {
  return [placeOfData(repository as Repository)];
}

/** An encryption Secret of another namespace must be there to be used from this one. */
function secretErrors(configuration: BackupConfiguration, world: World): readonly FieldError[] {
  const { namespace = "" } = configuration.metadata;
  return configuration.spec.sessions.flatMap((session, at) =>
    session.repositories.flatMap((repository, index) => {
      const { encryptionSecret: reference } = repository;
      if (reference === undefined) return [];
      const storage = storageAt(backendOf(configuration, repository)?.["storageRef"], namespace, world);
      const secret = { name: reference.name, namespace: reference.namespace ?? namespace };
      const refusal = secretRefusal(secret, namespace, storage, world);
      const path = ["spec", "sessions", at, "repositories", index, "encryptionSecret"];
      return refusal === undefined ? [] : [failure("Refused", path, refusal.message, refusal.next)];
    }),
  );
}

/** A Repository stays in its directory: a declaration that names another one is refused, not ignored. */
function movedDirectories(
  configuration: KubeObject,
  repositories: readonly Repository[],
): readonly FieldError[] {
  return repositoryRequests(configuration).flatMap(({ name, spec }) => {
    const live = repositories.find(
      ({ metadata }) => metadata.name === name && metadata.namespace === configuration.metadata.namespace,
    );
    if (live === undefined) return [];
    const after = { ...live, spec: { ...live.spec, path: String(spec["path"] ?? "") } };
    return repositoryPathIsFixed
      .check(live, after)
      .map((error) => ({ ...error, message: `the directory of Repository ${name} ${error.message}` }));
  });
}

function taskErrors(session: Json, world: World): readonly string[] {
  const addonInfo = asRecord(session["addon"]);
  const name = String(session["name"]);
  const unknown = unknownParameters(addonInfo, "backup", world).map(
    (parameter) =>
      `session ${name}: no task of addon ${String(addonInfo["name"])} has the parameter ${parameter}`,
  );
  // An Addon that is not there yet may come: status.dependencies says so, and nothing is wrong with the declaration.
  const known = world.observed.named("Addon", undefined, addonInfo["name"]) !== undefined;
  const resolution = known ? resolveTasks(addonInfo, "backup", world) : undefined;
  return resolution?.ok === false ? [...unknown, `session ${name}: ${resolution.message}`] : unknown;
}
