import { parseGoDuration } from "../api/duration.ts";
import { resourceOf } from "../api/kinds.ts";
import {
  cleanupFinalizer,
  kubestashLabels,
  labelValue,
  offshootLabels,
  recordFinalizer,
} from "../api/labels.ts";
import { apiVersionOf, type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { backupSessionName } from "../api/names.ts";
import type { Clock } from "../base/clock.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { Kube } from "../ports/kube/kube.ts";
import { isKubeError } from "../ports/kube/kube-error.ts";
import { type JobContext, type JobOutcome, moverManager } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { readNeeded } from "./read-object.ts";
import { fieldAt, listAt, textAt } from "./storage/fields.ts";

export const triggerFlags = ["invoker-kind", "invoker-namespace", "invoker-name", "session-name"] as const;

/** What a session without `retryConfig.maxRetry` gets when it has a retryConfig. */
const defaultRetries = 1;

/** Creates one BackupSession, as the CronJob of a session does when it is due. */
export async function triggerBackup(context: JobContext, flags: JobFlags): Promise<JobOutcome> {
  const kind = flags.required("invoker-kind");
  if (kind !== "BackupConfiguration") {
    throw usageError(
      `job trigger-backup: an invoker of kind ${kind} is not supported`,
      "Use BackupConfiguration.",
    );
  }
  const name = { namespace: flags.required("invoker-namespace"), name: flags.required("invoker-name") };
  const configuration = await readNeeded(context, resourceOf("BackupConfiguration"), name, "the trigger");
  const made = await createBackupSession(
    context.kube,
    configuration,
    flags.required("session-name"),
    context,
  );
  return { exitCode: ExitCode.ok, message: `created ${nameOf(refOf(made))}` };
}

/** Creates the BackupSession `<configuration>-<session>-<unix seconds>`; triggered twice in one second it is one. */
export async function createBackupSession(
  kube: Kube,
  configuration: KubeObject,
  sessionName: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<KubeObject> {
  const object = backupSession(configuration, sessionOf(configuration, sessionName), clock.now());
  const resource = resourceOf("BackupSession");
  try {
    return await kube.create(resource, object, { manager: moverManager, signal });
  } catch (thrown) {
    // The trigger may create sessions and not read them; one of this name is the same one.
    if (isKubeError(thrown, 409)) return object;
    throw thrown;
  }
}

function sessionOf(configuration: KubeObject, name: string): unknown {
  const sessions = listAt(configuration, "spec", "sessions");
  const found = sessions.find((session) => textAt(session, "name") === name);
  if (found !== undefined) return found;
  const names = sessions.flatMap((session) => textAt(session, "name") ?? []);
  throw new HoldfastError(
    "SessionNotFound",
    `${nameOf(refOf(configuration))} has no session ${name}; it has ${names.join(", ") || "none"}`,
    { disposition: "stall", next: "Correct --session-name, or add the session." },
  );
}

function backupSession(configuration: KubeObject, session: unknown, now: number): KubeObject {
  const resource = resourceOf("BackupSession");
  const sessionName = textAt(session, "name") ?? "";
  const { name, namespace, uid } = configuration.metadata;
  const retries =
    fieldAt(session, "retryConfig") === undefined ? 0 : fieldAt(session, "retryConfig", "maxRetry");
  const timeout = textAt(session, "backupTimeout");
  if (timeout !== undefined && parseGoDuration(timeout) === undefined) {
    throw new HoldfastError("SessionInvalid", `session ${sessionName} has the backupTimeout ${timeout}`, {
      disposition: "stall",
      next: "Write it as a duration, such as 30m.",
    });
  }
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: {
      name: backupSessionName(name, sessionName, Math.floor(now / 1000)),
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...offshootLabels(configuration),
        [kubestashLabels.sessionName]: labelValue(sessionName),
      },
      finalizers: [cleanupFinalizer, recordFinalizer],
      ownerReferences: [
        {
          apiVersion: configuration.apiVersion,
          kind: configuration.kind,
          name,
          uid: uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      invoker: { apiGroup: resource.group, kind: configuration.kind, name },
      session: sessionName,
      retryLeft: typeof retries === "number" ? retries : defaultRetries,
      ...(timeout === undefined ? {} : { backupTimeout: timeout }),
    },
  };
}
