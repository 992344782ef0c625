import type { Session } from "../../../api/backup-configuration.ts";
import { type Condition, setCondition } from "../../../api/conditions.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { newBackupSession } from "../../../api/new-backup-session.ts";
import { asRecord, records } from "../../../base/json.ts";
import type { Draft } from "../draft.ts";
import { missingSessionPassword } from "../missing-references.ts";
import { componentsHeld, phaseOf, snapshotsOf } from "../snapshots.ts";
import { sameTarget, targetOf } from "../targets.ts";
import type { World } from "../world.ts";
import { backupComponents } from "./backup-jobs.ts";
import { runsOf, sessionsOf } from "./session-context.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the conditions of a session are, and how many components its first backup has when it is to be made. */
export type InitialBackup = {
  readonly conditions: readonly Condition[];
  readonly due: { readonly session: Json; readonly components: number } | undefined;
};

/**
 * One backup at once, the first time (promise 8): only when no Repository of the session holds a Snapshot of a
 * component that it would save, whatever session made that, and never while a declared restore of the same target
 * is not final.
 */
export function initialBackup(
  configuration: KubeObject,
  session: Json,
  conditions: readonly Condition[],
  world: World,
): InitialBackup {
  const later: InitialBackup = { conditions, due: undefined };
  if (conditions.some((one) => one.type === "InitialBackupTriggered" && one.status === "True")) return later;
  if (phaseOf(configuration) !== "Ready" || asRecord(configuration["spec"])["paused"] === true) return later;
  const triggered = (message: string): InitialBackup => ({
    conditions: setCondition(
      conditions,
      {
        type: "InitialBackupTriggered",
        status: "True",
        reason: "SuccessfullyTriggeredInitialBackup",
        message,
      },
      world.now,
    ),
    due: undefined,
  });
  if (sessionsOf(configuration, String(session["name"]), world).length > 0) return triggered("");
  // Its first Jobs could only fail without the password; they are made once that is there.
  if (missingSessionPassword(session, configuration.metadata.namespace ?? "", world) !== undefined)
    return later;
  const repositories = sessionRepositories(configuration, session, world);
  const components = backupComponents(configuration, session, world);
  if (repositories === undefined || components.length === 0) return later;
  const held = components.filter((component) =>
    repositories.some((repository) => componentsHeld(repository, world).has(component)),
  );
  if (held.length > 0)
    return triggered(`a Repository holds a Snapshot of ${held.join(", ")} already, so none was made`);
  const underWay = repositories
    .flatMap((repository) => snapshotsOf(repository, world))
    .some((snapshot) => !["Succeeded", "Failed"].includes(phaseOf(snapshot)));
  if (underWay || restorePending(configuration, world)) return later;
  return { conditions, due: { session, components: components.length } };
}

/**
 * Makes the first backup of one session: of two at once the later would be skipped and never made up for. The one
 * that saves most goes first, so that it stands for those that save the same.
 */
export function startInitialBackup(draft: Draft, initial: readonly InitialBackup[], world: World): void {
  const configuration = draft.object;
  const due = initial.flatMap((one) => one.due ?? []).sort((a, b) => b.components - a.components)[0];
  const busy = runsOf(configuration, world).some(
    (one) => !["Succeeded", "Failed", "Skipped"].includes(phaseOf(one)),
  );
  if (due === undefined || busy) return;
  const session = due.session as Session;
  draft.step({
    kind: "create",
    object: newBackupSession(configuration, session, { atMs: world.now }),
    because: `it is the initial backup of session ${session.name}`,
  });
}

/** The Repositories of a session, or undefined while one is not Ready. */
function sessionRepositories(
  configuration: KubeObject,
  session: Json,
  world: World,
): readonly KubeObject[] | undefined {
  const all = records(session["repositories"]).map((request) =>
    world.observed.named("Repository", configuration.metadata.namespace, request["name"]),
  );
  const ready = all
    .filter((one) => one !== undefined && phaseOf(one) === "Ready")
    .filter((one) => one !== undefined);
  return ready.length === all.length ? ready : undefined;
}

/** An Invalid restore is one that somebody still has to correct, so it is not over. */
function restorePending(configuration: KubeObject, world: World): boolean {
  const namespace = configuration.metadata.namespace ?? "";
  const target = targetOf(configuration);
  const final = ["Succeeded", "Failed", "Unknown"];
  const concerns = (restore: KubeObject) =>
    sameTarget(targetOf(restore), restore.metadata.namespace ?? "", target, namespace);
  const live = world.observed
    .list("RestoreSession")
    .filter((one) => concerns(one) && !final.includes(phaseOf(one)));
  const declared = [...world.desired.objects.values()]
    .map((one) => one.object)
    .filter((one) => one.kind === "RestoreSession" && concerns(one))
    .filter((one) => world.observed.get(refOf(one)) === undefined);
  return live.length + declared.length > 0;
}
