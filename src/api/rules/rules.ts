import type { FieldError } from "../field-error.ts";
import type { KindName } from "../kinds.ts";
import type { KubeObject } from "../meta.ts";
import { addonRules } from "./addon-rules.ts";
import { backupConfigurationRelations } from "./backup-configuration-relations.ts";
import { backupConfigurationRules } from "./backup-configuration-rules.ts";
import { backupStorageRelations, backupStorageRules } from "./backup-storage-rules.ts";
import { backupVerifierRules } from "./backup-verifier-rules.ts";
import { hookTemplateRules } from "./hook-template-rules.ts";
import { repositoryRelations, repositoryRules } from "./repository-rules.ts";
import { restoreSessionRules } from "./restore-session-rules.ts";
import { retentionPolicyRelations, retentionPolicyRules } from "./retention-policy-rules.ts";
import type { Rule } from "./rule.ts";
import { selectorIsGiven, specIsFixed } from "./shared-rules.ts";

type Says = { readonly says: string };

type KindRules = {
  /** Each is of the kind that it stands under. */
  readonly alone: readonly Rule<never>[];
  readonly withOthers: readonly Says[];
};

const none: KindRules = { alone: [], withOthers: [] };

const rulesByKind: Readonly<Record<KindName, KindRules>> = {
  BackupStorage: { alone: backupStorageRules, withOthers: backupStorageRelations },
  Repository: { alone: repositoryRules, withOthers: repositoryRelations },
  Snapshot: none,
  RetentionPolicy: { alone: retentionPolicyRules, withOthers: retentionPolicyRelations },
  BackupConfiguration: { alone: backupConfigurationRules, withOthers: backupConfigurationRelations },
  BackupSession: { alone: [specIsFixed], withOthers: [] },
  RestoreSession: { alone: restoreSessionRules, withOthers: [] },
  HookTemplate: { alone: hookTemplateRules, withOthers: [] },
  BackupBlueprint: { alone: [selectorIsGiven], withOthers: [] },
  BackupBatch: none,
  BackupVerifier: { alone: backupVerifierRules, withOthers: [] },
  BackupVerificationSession: { alone: [specIsFixed], withOthers: [] },
  Addon: { alone: addonRules, withOthers: [] },
  Function: none,
};

function kindRules(kind: string): KindRules {
  return Object.hasOwn(rulesByKind, kind) ? rulesByKind[kind as KindName] : none;
}

/** What the rules of a kind say about an object that its schema has passed. */
export function rulesOf(kind: string, object: KubeObject): readonly FieldError[] {
  return kindRules(kind).alone.flatMap((rule) => rule.check(object as never));
}

/** The rules of a kind in words: about the object alone, and about it among others. */
export function ruleTexts(kind: string): {
  readonly alone: readonly string[];
  readonly withOthers: readonly string[];
} {
  const { alone, withOthers } = kindRules(kind);
  return { alone: alone.map((rule) => rule.says), withOthers: withOthers.map((rule) => rule.says) };
}
