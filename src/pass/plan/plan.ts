import { type KubeObject, keyOf, refOf } from "../../api/meta.ts";
import type { Problem } from "../../base/problem.ts";
import { planUnreadable } from "./claim.ts";
import { contained } from "./contained.ts";
import { planDeclaredObjects, planPrune } from "./declared-objects.ts";
import type { Turn } from "./draft.ts";
import { plannedEntries } from "./entries.ts";
import { planBackupConfiguration } from "./kinds/backup-configuration.ts";
import { planBackupSession } from "./kinds/backup-session.ts";
import { planBackupStorage } from "./kinds/backup-storage.ts";
import { planRepository } from "./kinds/repository.ts";
import {
  planBackupBatch,
  planBackupVerificationSession,
  planBlueprintRequest,
  planWithoutStatus,
} from "./kinds/resting-kinds.ts";
import { planRestoreJob } from "./kinds/restore-jobs.ts";
import { planRestoreSession } from "./kinds/restore-session.ts";
import { planSnapshot } from "./kinds/snapshot.ts";
import { planAway, planOutbox, planState } from "./outbox.ts";
import type { Entry, Plan, Step } from "./step.ts";
import type { World } from "./world.ts";

/** Kinds with a life of their own, in the order in which one object's progress helps the next. */
const planners: readonly (readonly [string, (object: KubeObject, world: World) => Turn])[] = [
  ["BackupStorage", planBackupStorage],
  ["Repository", planRepository],
  ["BackupConfiguration", planBackupConfiguration],
  ["BackupSession", planBackupSession],
  ["Snapshot", planSnapshot],
  ["RestoreSession", planRestoreSession],
  ["Job", planRestoreJob],
  ["BackupBatch", planBackupBatch],
  ["BackupVerificationSession", planBackupVerificationSession],
  ["HookTemplate", planWithoutStatus],
  ["BackupBlueprint", planWithoutStatus],
  ["BackupVerifier", planWithoutStatus],
  ["Deployment", planBlueprintRequest],
  ["StatefulSet", planBlueprintRequest],
  ["DaemonSet", planBlueprintRequest],
  ["PersistentVolumeClaim", planBlueprintRequest],
];

/** What one pass will do: a pure function of what is declared, observed and recorded, and of now. */
export function planPass(world: World): Plan {
  const declared = planDeclaredObjects(world);
  const pruned = planPrune(world);
  // An object that is about to be applied or pruned is looked at in the next pass, as it is then.
  const touched = new Set([...declared.steps, ...pruned.steps].map(stepKey));
  const failed: Problem[] = [];
  const turns = planners.flatMap(([kind, plan]) =>
    world.observed
      .list(kind)
      .filter((object) => !touched.has(keyOf(refOf(object))))
      .flatMap((object) => contained(object, failed, () => plan(object, world)) ?? []),
  );
  const outbox = planOutbox(world);
  const planned = plannedEntries(world, outbox, failed);
  const wakeAt = turns.flatMap((turn) => turn.wakeAtMs ?? []).filter((atMs) => atMs > world.now);
  return {
    revision: world.desired.revision,
    steps: uniqueSteps([
      ...planState(world),
      ...declared.steps,
      ...pruned.steps,
      ...turns.flatMap((turn) => turn.steps),
      ...outbox.steps,
    ]),
    entries: uniqueEntries([...turns.flatMap((turn) => turn.entries), ...planned]),
    problems: [
      ...planAway(world),
      ...planUnreadable(world),
      ...world.desired.problems,
      ...declared.problems,
      ...pruned.problems,
      ...turns.flatMap((turn) => turn.problems),
      ...outbox.problems,
      ...failed,
    ],
    wakeAtMs: wakeAt.length === 0 ? undefined : Math.min(...wakeAt),
    waiting: turns.flatMap((turn) => turn.waiting),
  };
}

function stepKey(step: Step): string {
  switch (step.kind) {
    case "apply":
    case "create":
    case "note":
      return keyOf(refOf(step.object));
    case "store":
      return keyOf(refOf(step.storage));
    case "patch":
    case "delete":
    case "status":
      return keyOf(step.ref);
  }
}

/** Two sessions that share a Repository may ask for the same thing; once is enough. */
function uniqueSteps(steps: readonly Step[]): readonly Step[] {
  const seen = new Set<string>();
  return steps.filter((step) => {
    if (step.kind !== "create" && step.kind !== "delete" && step.kind !== "apply") return true;
    const key = `${step.kind} ${stepKey(step)}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** The first word on a path counts: a claim before anything that is derived. */
function uniqueEntries(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map([...entries].reverse().map((entry) => [entry.path, entry])).values()].reverse();
}
