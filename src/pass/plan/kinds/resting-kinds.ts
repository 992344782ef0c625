import type { BackupVerificationSessionStatus } from "../../../api/backup-verification-session.ts";
import { type KubeObject, nameOf, refOf } from "../../../api/meta.ts";
import { backupVerificationSessionPhase } from "../../../api/phases/backup-verification-session-phase.ts";
import { Draft, type Turn } from "../draft.ts";
import { tellUnsupported, unsupportedProblems } from "../unsupported.ts";
import { isBeingDeleted, type World } from "../world.ts";

/** Kinds that are taken as they are and that nothing is done for yet: each says so, in its status where it has one. */

export function planBackupBatch(batch: KubeObject, world: World): Turn {
  const draft = new Draft(batch, world.now);
  if (isBeingDeleted(batch)) return draft.turn("it is being deleted");
  tellUnsupported(draft, world);
  draft.status["phase"] = "NotReady";
  return draft.turn("this release does not act on it");
}

export function planBackupVerificationSession(check: KubeObject, world: World): Turn {
  const draft = new Draft(check, world.now);
  if (isBeingDeleted(check)) return draft.turn("it is being deleted");
  tellUnsupported(draft, world);
  const message = "this release checks no Snapshots by restoring them";
  draft.setCondition("BackupVerificationSkipped", true, "NotSupportedYet", message);
  draft.status["phase"] = backupVerificationSessionPhase(draft.statusAs<BackupVerificationSessionStatus>());
  return draft.turn("this release does not act on it");
}

/** HookTemplate, BackupBlueprint and BackupVerifier have no status. */
export function planWithoutStatus(object: KubeObject, world: World): Turn {
  const problems = isBeingDeleted(object) ? [] : unsupportedProblems(object, world);
  return { steps: [], entries: [], problems, waiting: [], wakeAtMs: undefined };
}

const blueprintName = "blueprint.kubestash.com/name";

/** A workload or claim whose annotations ask for a blueprint's BackupConfiguration, which nobody makes. */
export function planBlueprintRequest(object: KubeObject): Turn {
  const { annotations = {} } = object.metadata;
  const name = annotations[blueprintName];
  const namespace = annotations["blueprint.kubestash.com/namespace"] ?? object.metadata.namespace ?? "";
  const asks = {
    severity: "warning",
    reason: "NotSupportedYet",
    message: `its annotations ask for BackupBlueprint ${namespace}/${name}, and this release makes no BackupConfigurations of blueprints`,
    object: nameOf(refOf(object)),
    next: "Declare a BackupConfiguration for it.",
  } as const;
  const problems = name === undefined || isBeingDeleted(object) ? [] : [asks];
  return { steps: [], entries: [], problems, waiting: [], wakeAtMs: undefined };
}
