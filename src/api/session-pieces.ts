import { addonInfo } from "./addon-info.ts";
import { conditionList } from "./conditions.ts";
import { hookList } from "./hook-info.ts";
import { foundReference, objectReference } from "./references.ts";
import { scheduler } from "./scheduler.ts";
import { choice, duration, flag, integer, list, object, optional, text, time } from "./schema.ts";

/** Pieces that every kind shares which makes backups: BackupConfiguration, its BackupBlueprint, BackupBatch. */

export function backendList() {
  const backend = object(
    {
      name: text("Name by which sessions refer to it."),
      storageRef: optional(
        objectReference("BackupStorage; another namespace's when its usagePolicy allows it."),
      ),
      retentionPolicy: optional(objectReference("RetentionPolicy; the default one when absent.")),
    },
    "One backend.",
  );
  return list(backend, "Where data may go; the default BackupStorage when absent.");
}

export function sessionRepository() {
  return object(
    {
      name: text("Name of the Repository object.", { minLength: 1 }),
      backend: optional(text("Name of one of spec.backends; may be left out when there is one.")),
      directory: text("Directory in the storage.", { minLength: 1 }),
      encryptionSecret: optional(
        objectReference(
          "Secret whose key RESTIC_PASSWORD encrypts the data; another namespace's when it may be used from this one.",
        ),
      ),
      backupVerifier: optional(objectReference("BackupVerifier that tries restores of it.")),
      deletionPolicy: optional(
        choice(
          ["Delete", "WipeOut", "Retain"],
          "With this object: `Delete` removes the Repository object and keeps the data, `WipeOut` removes both, `Retain` keeps both; `Delete` when absent.",
        ),
      ),
    },
    "One repository.",
  );
}

export function retryConfig() {
  return optional(
    object(
      {
        maxRetry: optional(integer("How often a failed session is tried again.", { default: 1, minimum: 1 })),
        delay: optional(duration("How long to wait before that.")),
      },
      "What follows a failure; no retry when absent.",
    ),
  );
}

/** A session without what it backs up: its name, when it runs and what runs around it. */
export function sessionFields() {
  return {
    name: text("Name of the session.", { minLength: 1 }),
    scheduler: optional(scheduler("When it runs.")),
    hooks: optional(
      object(
        {
          preBackup: optional(hookList("Hooks before the backup; one that fails stops it.")),
          postBackup: optional(hookList("Hooks after the backup.")),
        },
        "What runs around the backup.",
      ),
    ),
    retryConfig: retryConfig(),
    backupTimeout: optional(duration("How long the session may take; seven days when absent.")),
    sessionHistoryLimit: optional(
      integer("Finished BackupSessions that are kept.", { default: 1, minimum: 0 }),
    ),
  };
}

export function configuredSession() {
  return object(
    {
      ...sessionFields(),
      addon: addonInfo("What does the backup."),
      repositories: list(sessionRepository(), "Where the backups go.", { minItems: 1 }),
    },
    "One session.",
  );
}

/** What the status of a kind says that starts sessions. */
export function invokerStatus() {
  const repository = object(
    {
      name: text("Name of the Repository."),
      phase: optional(text("Its phase.")),
      reason: optional(text("Why it is not ready.")),
      verificationConfigured: optional(flag("Whether its verifier is set up.")),
    },
    "One Repository.",
  );
  const session = object(
    {
      name: text("Name of the session."),
      nextSchedule: optional(time("When it runs next.")),
      conditions: optional(conditionList()),
    },
    "One session.",
  );
  return {
    backends: optional(list(backendStatus(), "How it stands with the backends.")),
    repositories: optional(list(repository, "How it stands with the Repositories.")),
    dependencies: optional(list(foundReference("One object."), "Objects that the sessions need.")),
    sessions: optional(list(session, "How it stands with the sessions.")),
  };
}

function backendStatus() {
  return object(
    {
      name: text("Name of the backend."),
      ready: optional(flag("Whether backups can go there.")),
      storage: optional(
        object(
          {
            ref: optional(objectReference("The BackupStorage.")),
            phase: optional(text("Its phase.")),
            reason: optional(text("Why it is not ready.")),
          },
          "The BackupStorage.",
        ),
      ),
      retentionPolicy: optional(
        object(
          {
            ref: optional(objectReference("The RetentionPolicy.")),
            found: optional(flag("Whether it exists.")),
            reason: optional(text("Why it was not found.")),
          },
          "The RetentionPolicy.",
        ),
      ),
    },
    "One backend.",
  );
}
