import type {
  BackupConfigurationSpec,
  BackupConfigurationStatus,
} from "../../../api/backup-configuration.ts";
import { backupConfigurationConditions } from "../../../api/condition-types.ts";
import { cleanupFinalizer, offshootLabels } from "../../../api/labels.ts";
import { type KubeObject, refOf } from "../../../api/meta.ts";
import { backupConfigurationPhase } from "../../../api/phases/backup-configuration-phase.ts";
import { sameJson } from "../../../api/same-json.ts";
import { asRecord, records } from "../../../base/json.ts";
import { configurationErrors } from "../configuration-rules.ts";
import { allowWipeOut, hasConsent } from "../deletion.ts";
import { Draft, type Turn } from "../draft.ts";
import { effectiveConfiguration } from "../effective-configuration.ts";
import { missingReferences, missingSessionPassword } from "../missing-references.ts";
import { repositoriesNamed, repositoryRequests } from "../repository-requests.ts";
import { dependenciesOf } from "../resolve-task.ts";
import { phaseOf } from "../snapshots.ts";
import { targetFound, targetOf } from "../targets.ts";
import { tellUnsupported } from "../unsupported.ts";
import { isBeingDeleted, type World } from "../world.ts";
import { storageOf } from "./repository.ts";
import { ensureSchedulers } from "./schedule.ts";

type Json = Readonly<Record<string, unknown>>;

/** The life of a BackupConfiguration: checked, its Repositories and schedules kept, the first backup made. */
export function planBackupConfiguration(configuration: KubeObject, world: World): Turn {
  const draft = new Draft(configuration, world.now);
  if (isBeingDeleted(configuration)) return planRemoval(draft, world);
  const effective = effectiveConfiguration(configuration, world);
  if (!draft.ensureFinalizers([cleanupFinalizer])) return draft.turn("it is new");
  const errors = configurationErrors(effective, world);
  if (errors.length > 0) {
    draft.setCondition("ValidationPassed", false, "ResourceValidationFailed", errors.join("; "));
    for (const message of errors)
      draft.problem({
        severity: "error",
        reason: "ResourceValidationFailed",
        message,
        next: "change the declaration",
      });
  } else {
    draft.setCondition("ValidationPassed", true, "ResourceValidationPassed");
  }
  tellUnsupported(draft, world);
  lookAround(draft, effective, world);
  lookForSecrets(draft, world);
  if (errors.length === 0) {
    ensureRepositories(draft, effective, world);
    ensureSchedulers(draft, world);
  }
  draft.status["phase"] = backupConfigurationPhase(
    effective["spec"] as BackupConfigurationSpec,
    draft.statusAs<BackupConfigurationStatus>(),
  );
  return draft.turn("what it refers to was looked at");
}

function lookAround(draft: Draft, configuration: KubeObject, world: World): void {
  const spec = asRecord(configuration["spec"]);
  const namespace = draft.object.metadata.namespace ?? "";
  const found = targetFound(targetOf(draft.object), namespace, world);
  draft.status["targetFound"] = found;
  const target = targetOf(draft.object);
  if (!found && target !== undefined)
    draft.problem({
      severity: "error",
      reason: "TargetNotFound",
      message: `its target ${target.kind} ${target.kind === "Namespace" ? "" : `${target.namespace ?? namespace}/`}${target.name} does not exist`,
      next: "create the target or correct spec.target",
    });
  for (const message of missingReferences(configuration, world))
    draft.problem({
      severity: "error",
      reason: "ReferenceNotFound",
      message,
      next: "create it, or correct the reference",
    });
  draft.status["backends"] = records(spec["backends"]).map((backend) =>
    backendStatus(backend, namespace, world),
  );
  draft.status["dependencies"] = uniqueDependencies(
    records(spec["sessions"]).flatMap((session) =>
      dependenciesOf(asRecord(session["addon"]), "backup", world),
    ),
  );
  draft.status["repositories"] = repositoryRequests(configuration).map((request) => {
    const repository = world.observed.named("Repository", namespace, request.name);
    return {
      name: request.name,
      phase: repository === undefined ? "NotReady" : phaseOf(repository) || "NotReady",
    };
  });
}

/** A backup without its password could only fail: that is said before one is due. */
function lookForSecrets(draft: Draft, world: World): void {
  const { encryptionSecretFound: condition } = backupConfigurationConditions;
  const missing = records(asRecord(draft.object["spec"])["sessions"])
    .flatMap((session) => missingSessionPassword(session, draft.object.metadata.namespace ?? "", world) ?? [])
    .filter((message, index, all) => all.indexOf(message) === index);
  if (missing.length === 0) return draft.setCondition(condition.type, true, condition.whenTrue);
  const next = "create the Secret with the key RESTIC_PASSWORD, or correct the encryptionSecret";
  draft.setCondition(condition.type, false, condition.whenFalse, `${missing.join("; ")}: ${next}`);
  for (const message of missing)
    draft.problem({ severity: "error", reason: condition.whenFalse, message, next });
}

function uniqueDependencies(dependencies: readonly Json[]): readonly Json[] {
  return dependencies.filter(
    (one, index) => dependencies.findIndex((other) => sameJson(one, other)) === index,
  );
}

function backendStatus(backend: Json, namespace: string, world: World): Json {
  const storageRef = asRecord(backend["storageRef"]);
  const policyRef = asRecord(backend["retentionPolicy"]);
  const find = (kind: string, reference: Json) =>
    world.observed.named(kind, String(reference["namespace"] ?? namespace), reference["name"]);
  const storage = find("BackupStorage", storageRef);
  const policy = find("RetentionPolicy", policyRef);
  const ready = storage !== undefined && phaseOf(storage) === "Ready" && policy !== undefined;
  return {
    name: backend["name"],
    ready,
    storage: {
      ref: storageRef,
      ...(storage === undefined
        ? { reason: "BackupStorageNotFound" }
        : { phase: phaseOf(storage) || "NotReady" }),
    },
    retentionPolicy: {
      ref: policyRef,
      found: policy !== undefined,
      ...(policy === undefined ? { reason: "RetentionPolicyNotFound" } : {}),
    },
  };
}

/** The BackupConfigurations that name a Repository: its data goes only when each of them consents. */
function sharersOf(repository: string, namespace: string, world: World): readonly KubeObject[] {
  return world.observed
    .keyed("BackupConfiguration", repositoriesNamed, `${namespace}/${repository}`)
    .filter((one) => !isBeingDeleted(one));
}

function ensureRepositories(draft: Draft, configuration: KubeObject, world: World): void {
  const namespace = configuration.metadata.namespace ?? "";
  for (const request of repositoryRequests(configuration)) {
    const annotations =
      request.spec["deletionPolicy"] === "WipeOut" &&
      sharersOf(request.name, namespace, world).every(hasConsent)
        ? { [allowWipeOut]: request.name }
        : undefined;
    const object: KubeObject = {
      apiVersion: "storage.kubestash.com/v1alpha1",
      kind: "Repository",
      metadata: {
        name: request.name,
        namespace,
        labels: offshootLabels(configuration),
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec: request.spec,
    };
    const live = world.observed.get(refOf(object));
    const because = "a session backs up into it";
    // A storage on its way out takes its Repositories with it: one that came back at once would hold it for ever.
    const storage = storageOf(object, world);
    if (storage !== undefined && isBeingDeleted(storage)) continue;
    if (live === undefined) {
      draft.step({ kind: "apply", object, change: "create", drift: [], because });
      continue;
    }
    if (isBeingDeleted(live)) continue;
    const drift = ["encryptionSecret", "deletionPolicy", "appRef"].filter(
      (field) => !sameJson(request.spec[field], asRecord(live["spec"])[field]),
    );
    const consents = live.metadata.annotations?.[allowWipeOut] === annotations?.[allowWipeOut];
    if (drift.length > 0 || !consents)
      draft.step({
        kind: "apply",
        object,
        change: "configure",
        drift: drift.map((field) => `spec.${field}`),
        because,
      });
  }
}

/** Its CronJobs and sessions go by owner reference; each Repository as its deletionPolicy says. */
function planRemoval(draft: Draft, world: World): Turn {
  const configuration = draft.object;
  const namespace = configuration.metadata.namespace ?? "";
  const retained = new Set(
    records(asRecord(configuration["spec"])["sessions"])
      .flatMap((session) => records(session["repositories"]))
      .filter((repository) => repository["deletionPolicy"] === "Retain")
      .map((repository) => String(repository["name"])),
  );
  for (const request of repositoryRequests(configuration)) {
    if (retained.has(request.name) || sharersOf(request.name, namespace, world).length > 0) continue;
    const live = world.observed.named("Repository", namespace, request.name);
    if (live === undefined || isBeingDeleted(live)) continue;
    const because = `its BackupConfiguration is being deleted, deletionPolicy ${String(request.spec["deletionPolicy"])}`;
    draft.step({ kind: "delete", ref: refOf(live), uid: live.metadata.uid ?? "", because });
  }
  draft.removeFinalizers([cleanupFinalizer], "its Repositories are taken care of");
  return draft.turn("it is being deleted");
}
