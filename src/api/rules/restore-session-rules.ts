import { required } from "../field-error.ts";
import type { RestoreSession } from "../restore-session.ts";
import { paramsAreReadable, paramValueErrors } from "./manifest-param-rules.ts";
import { manifestTargetErrors, manifestTargetsFit } from "./manifest-target-rules.ts";
import type { Rule } from "./rule.ts";
import { addonErrors, targetIsKnown, targetIsNear, volumeErrors } from "./shared-rules.ts";

const path = ["spec", "dataSource"];

const sourceIsNamed: Rule<RestoreSession> = {
  says: "spec.dataSource names a snapshot; `latest` needs a repository, and pitr needs a repository and a targetTime.",
  check: ({ spec: { dataSource } }) => {
    const { pitr, snapshot = "", repository = "" } = dataSource;
    const noRepository = required([...path, "repository"], "repository is missing", "Name the Repository.");
    if (pitr !== undefined) {
      const noTime = required([...path, "pitr", "targetTime"], "targetTime is missing");
      return [
        ...(pitr.targetTime === undefined ? [noTime] : []),
        ...(repository === "" ? [noRepository] : []),
      ];
    }
    if (snapshot === "")
      return [required([...path, "snapshot"], "snapshot is missing", "Name a Snapshot, or write latest.")];
    return snapshot === "latest" && repository === "" ? [noRepository] : [];
  },
};

const addonIsUsable: Rule<RestoreSession> = {
  says: "No task is named twice in the addon, and values of params are texts.",
  check: ({ spec }) => addonErrors(spec.addon, ["spec", "addon"]),
};

const paramsFit: Rule<RestoreSession> = {
  says: paramsAreReadable,
  check: ({ spec }) => paramValueErrors(spec.addon, ["spec", "addon"]),
};

const manifestTargetFits: Rule<RestoreSession> = {
  says: manifestTargetsFit,
  check: (restore) => manifestTargetErrors(restore, restore.spec.addon, ["spec", "addon"]),
};

const volumesAreNear: Rule<RestoreSession> = {
  says: targetIsNear,
  check: (restore) => volumeErrors(restore, restore.spec.addon, ["spec", "addon"]),
};

export const restoreSessionRules = [
  targetIsKnown,
  sourceIsNamed,
  addonIsUsable,
  paramsFit,
  manifestTargetFits,
  volumesAreNear,
] as const;
