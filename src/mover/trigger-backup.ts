import type { BackupConfiguration, Session } from "../api/backup-configuration.ts";
import { resourceOf } from "../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../api/meta.ts";
import { newBackupSession } from "../api/new-backup-session.ts";
import type { Clock } from "../base/clock.ts";
import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { Kube } from "../ports/kube/kube.ts";
import { isKubeError } from "../ports/kube/kube-error.ts";
import { type JobContext, type JobOutcome, moverManager } from "./job-context.ts";
import { type JobFlags, usageError } from "./job-flags.ts";
import { readNeeded } from "./read-object.ts";

export const triggerFlags = ["invoker-kind", "invoker-namespace", "invoker-name", "session-name"] as const;

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

/** Creates a BackupSession of a session of the configuration; triggered twice in one second it is one. */
export async function createBackupSession(
  kube: Kube,
  configuration: KubeObject,
  sessionName: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<KubeObject> {
  const session = sessionOf(configuration, sessionName);
  const object = newBackupSession(configuration, session, { atMs: clock.now() });
  const resource = resourceOf("BackupSession");
  try {
    return await kube.create(resource, object, { manager: moverManager, signal });
  } catch (thrown) {
    // The trigger may create sessions and not read them; one of this name is the same one.
    if (isKubeError(thrown, 409)) return object;
    throw thrown;
  }
}

/** What the API server answers has passed the schema of its CRD. */
function sessionOf(configuration: KubeObject, name: string): Session {
  const { sessions } = (configuration as BackupConfiguration).spec;
  const found = sessions.find((session) => session.name === name);
  if (found !== undefined) return found;
  const names = sessions.map((session) => session.name);
  throw new HoldfastError(
    "SessionNotFound",
    `${nameOf(refOf(configuration))} has no session ${name}; it has ${names.join(", ") || "none"}`,
    { disposition: "stall", next: "Correct --session-name, or add the session." },
  );
}
