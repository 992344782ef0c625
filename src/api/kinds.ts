import { addonKind } from "./addon.ts";
import { backupBatchKind } from "./backup-batch.ts";
import { backupBlueprintKind } from "./backup-blueprint.ts";
import { backupConfigurationKind } from "./backup-configuration.ts";
import { backupSessionKind } from "./backup-session.ts";
import { backupStorageKind } from "./backup-storage.ts";
import { backupVerificationSessionKind } from "./backup-verification-session.ts";
import { backupVerifierKind } from "./backup-verifier.ts";
import { functionKind } from "./function.ts";
import { hookTemplateKind } from "./hook-template.ts";
import type { KindDefinition } from "./kind.ts";
import { apiVersionOf, type Resource } from "./meta.ts";
import { repositoryKind } from "./repository.ts";
import { restoreSessionKind } from "./restore-session.ts";
import { retentionPolicyKind } from "./retention-policy.ts";
import { snapshotKind } from "./snapshot.ts";

const kindsByName = {
  BackupStorage: backupStorageKind,
  Repository: repositoryKind,
  Snapshot: snapshotKind,
  RetentionPolicy: retentionPolicyKind,
  BackupConfiguration: backupConfigurationKind,
  BackupSession: backupSessionKind,
  RestoreSession: restoreSessionKind,
  HookTemplate: hookTemplateKind,
  BackupBlueprint: backupBlueprintKind,
  BackupBatch: backupBatchKind,
  BackupVerifier: backupVerifierKind,
  BackupVerificationSession: backupVerificationSessionKind,
  Addon: addonKind,
  Function: functionKind,
} as const;

export type KindName = keyof typeof kindsByName;

/** Every kind of KubeStash's API that Holdfast serves. */
export const kinds: readonly KindDefinition[] = Object.values(kindsByName);

export function resourceOf(kind: KindName): Resource {
  return kindsByName[kind].resource;
}

export function definitionOf(kind: KindName): KindDefinition {
  return kindsByName[kind];
}

/** The definition of an object's kind; undefined for kinds that are not ours. */
export function findKind(object: {
  readonly apiVersion: string;
  readonly kind: string;
}): KindDefinition | undefined {
  return kinds.find(
    ({ resource }) => resource.kind === object.kind && apiVersionOf(resource) === object.apiVersion,
  );
}
