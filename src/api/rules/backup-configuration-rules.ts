import type { BackupConfiguration, Session } from "../backup-configuration.ts";
import { type FieldError, type FieldPath, failure, invalid, required } from "../field-error.ts";
import { quoted } from "../schema-errors.ts";
import { paramsAreReadable, paramValueErrors } from "./manifest-param-rules.ts";
import { manifestTargetErrors, manifestTargetsFit } from "./manifest-target-rules.ts";
import type { Rule } from "./rule.ts";
import { sharedFields, sharedValue } from "./shared-repository.ts";
import {
  addonErrors,
  directoryErrors,
  scheduleErrors,
  targetIsKnown,
  targetIsNear,
  volumeErrors,
} from "./shared-rules.ts";

const backendsPath = ["spec", "backends"];
const sessionsPath = ["spec", "sessions"];

const backendNamesDiffer: Rule<BackupConfiguration> = {
  says: "Every backend has a name, and no two the same; one backend alone may go without.",
  check: ({ spec: { backends = [] } }) =>
    backends.flatMap(({ name }, index) => {
      const path = [...backendsPath, index, "name"];
      if (name === "" && backends.length > 1)
        return [required(path, "a backend needs a name when there are several")];
      return backends.findIndex((other) => other.name === name) === index
        ? []
        : [failure("Conflict", path, `the backend ${name} is there twice`)];
    }),
};

const sessionNamesDiffer: Rule<BackupConfiguration> = {
  says: "No two sessions have the same name.",
  check: ({ spec: { sessions } }) =>
    sessions.flatMap(({ name }, index) =>
      sessions.findIndex((other) => other.name === name) === index
        ? []
        : [failure("Conflict", [...sessionsPath, index, "name"], `the session ${name} is there twice`)],
    ),
};

const sessionNamesFit: Rule<BackupConfiguration> = {
  says: "Session names are lower-case letters, digits and `-`, since objects and directories are named after them.",
  check: eachSession(({ name }, path) =>
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)
      ? []
      : [invalid([...path, "name"], `${quoted(name)} is no name of lower-case letters, digits and -`)],
  ),
};

const sessionsAreScheduled: Rule<BackupConfiguration> = {
  says: "Every session has a scheduler, whose schedule is a text that a CronJob takes.",
  check: eachSession(({ name, scheduler }, path) => {
    if (scheduler === undefined)
      return [required([...path, "scheduler"], `the session ${name} has no scheduler`, "Say when it runs.")];
    return scheduleErrors(scheduler.schedule, [...path, "scheduler", "schedule"]);
  }),
};

const addonsAreUsable: Rule<BackupConfiguration> = {
  says: "No task is named twice in an addon, and values of params are texts.",
  check: eachSession(({ addon }, path) => addonErrors(addon, [...path, "addon"])),
};

const paramsFit: Rule<BackupConfiguration> = {
  says: paramsAreReadable,
  check: eachSession(({ addon }, path) => paramValueErrors(addon, [...path, "addon"])),
};

const manifestTargetFits: Rule<BackupConfiguration> = {
  says: manifestTargetsFit,
  check: (configuration) =>
    eachSession(({ addon }, path) => manifestTargetErrors(configuration, addon, [...path, "addon"]))(
      configuration,
    ),
};

const volumesAreNear: Rule<BackupConfiguration> = {
  says: targetIsNear,
  check: (configuration) =>
    eachSession(({ addon }, path) => volumeErrors(configuration, addon, [...path, "addon"]))(configuration),
};

const repositoriesFit: Rule<BackupConfiguration> = {
  says: "No repository is named twice in a session; its backend is one of spec.backends, and is named when there are several; its directory stays below the storage's prefix; it has an encryptionSecret, which restic needs.",
  check: (configuration) =>
    eachSession((session, path) => repositoryErrors(session, path, configuration))(configuration),
};

function repositoryErrors(
  { repositories }: Session,
  sessionPath: FieldPath,
  { spec: { backends = [] } }: BackupConfiguration,
): readonly FieldError[] {
  const names = backends.map((backend) => backend.name);
  return repositories.flatMap((repository, index) => {
    const path = [...sessionPath, "repositories", index];
    const first = repositories.findIndex((other) => other.name === repository.name) === index;
    return [
      ...(first
        ? []
        : [
            failure(
              "Conflict",
              [...path, "name"],
              `the repository ${repository.name} is there twice in the session`,
            ),
          ]),
      ...backendErrors(repository.backend, names, [...path, "backend"]),
      ...directoryErrors(repository.directory, [...path, "directory"]),
      ...(!repository.encryptionSecret?.name
        ? [
            required(
              [...path, "encryptionSecret"],
              "encryptionSecret is missing, and restic encrypts always",
              "Name a Secret with the key RESTIC_PASSWORD.",
            ),
          ]
        : []),
    ];
  });
}

function backendErrors(
  backend: string | undefined,
  names: readonly string[],
  path: FieldPath,
): readonly FieldError[] {
  if (backend !== undefined && backend !== "")
    return names.includes(backend)
      ? []
      : [invalid(path, `there is no backend ${backend}`, knownNames(names))];
  return names.length > 1
    ? [required(path, "backend is missing, and there are several", knownNames(names))]
    : [];
}

function knownNames(names: readonly string[]): string {
  return names.length === 0 ? "Declare it in spec.backends." : `Name one of ${names.join(", ")}.`;
}

const repositoriesAgree: Rule<BackupConfiguration> = {
  says: "A repository that several sessions name has the same backend and directory in each, and no two repositories have the same ones.",
  check: ({ spec: { backends = [], sessions } }) => {
    const only = backends.length === 1 ? (backends[0]?.name ?? "") : "";
    const all = sessions.flatMap((session, at) =>
      session.repositories.map((repository, index) => ({
        name: repository.name,
        place: JSON.stringify([
          repository.backend || only,
          repository.directory.replaceAll(/^\/+|\/+$/g, ""),
        ]),
        path: [...sessionsPath, at, "repositories", index, "directory"],
      })),
    );
    return all.flatMap(({ name, place, path }, index) => {
      const before = all.slice(0, index);
      const elsewhere = before.some((other) => other.name === name && other.place !== place);
      const taken = before.find((other) => other.name !== name && other.place === place);
      if (elsewhere)
        return [failure("Conflict", path, `the repository ${name} has another place in an earlier session`)];
      return taken === undefined
        ? []
        : [failure("Conflict", path, `the repository ${taken.name} uses this directory already`)];
    });
  },
};

const sharedSettingsAgree: Rule<BackupConfiguration> = {
  says: "A repository that several sessions name has the same encryptionSecret in each, and deletionPolicy `WipeOut` in all or none of them.",
  check: ({ metadata, spec: { sessions } }) => {
    const all = sessions.flatMap((session, at) =>
      session.repositories.map((repository, index) => ({
        repository,
        path: [...sessionsPath, at, "repositories", index],
      })),
    );
    return all.flatMap(({ repository, path }, index) => {
      const before = all.slice(0, index).filter((other) => other.repository.name === repository.name);
      return sharedFields
        .filter((field) =>
          before.some(
            (other) =>
              sharedValue(other.repository[field], metadata.namespace) !==
              sharedValue(repository[field], metadata.namespace),
          ),
        )
        .map((field) =>
          failure(
            "Conflict",
            [...path, field],
            `the repository ${repository.name} has another ${field} in an earlier session`,
            "Write the same in both.",
          ),
        );
    });
  },
};

export const backupConfigurationRules = [
  targetIsKnown,
  backendNamesDiffer,
  sessionNamesDiffer,
  sessionNamesFit,
  sessionsAreScheduled,
  addonsAreUsable,
  paramsFit,
  manifestTargetFits,
  volumesAreNear,
  repositoriesFit,
  repositoriesAgree,
  sharedSettingsAgree,
] as const;

function eachSession(
  check: (session: Session, path: FieldPath) => readonly FieldError[],
): (configuration: BackupConfiguration) => readonly FieldError[] {
  return ({ spec: { sessions } }) =>
    sessions.flatMap((session, index) => check(session, [...sessionsPath, index]));
}
