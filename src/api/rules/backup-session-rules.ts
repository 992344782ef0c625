import type { BackupSession } from "../backup-session.ts";
import { failure } from "../field-error.ts";
import { sameJson } from "../same-json.ts";
import type { Relation } from "./rule.ts";

export const backupSessionSpecIsFixed: Relation<[before: BackupSession, after: BackupSession]> = {
  says: "spec cannot be changed.",
  check: (before, after) =>
    sameJson(before.spec, after.spec)
      ? []
      : [failure("Immutable", ["spec"], "cannot be changed", "Make another BackupSession.")],
};

export const backupSessionRelations = [backupSessionSpecIsFixed] as const;
