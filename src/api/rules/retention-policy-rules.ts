import { parseRetentionPeriod } from "../duration.ts";
import { invalid, required } from "../field-error.ts";
import type { RetentionPolicy } from "../retention-policy.ts";
import { quoted } from "../schema-errors.ts";
import type { Rule } from "./rule.ts";
import { oneDefault, selectorIsGiven } from "./shared-rules.ts";

const periodIsReadable: Rule<RetentionPolicy> = {
  says: "spec.maxRetentionPeriod is a text of numbers with the units y, mo, w, d, h, m, and more than zero.",
  check: ({ spec: { maxRetentionPeriod: period } }) => {
    if (period === undefined || (parseRetentionPeriod(period) ?? 0) > 0) return [];
    const path = ["spec", "maxRetentionPeriod"];
    return [invalid(path, `${quoted(period)} is no retention period`, "Write it as in 30d or 1y6mo.")];
  },
};

const somethingIsKept: Rule<RetentionPolicy> = {
  says: "One of spec.maxRetentionPeriod and spec.successfulSnapshots must be there.",
  check: ({ spec }) =>
    spec.maxRetentionPeriod === undefined && spec.successfulSnapshots === undefined
      ? [
          required(
            ["spec"],
            "neither maxRetentionPeriod nor successfulSnapshots is there",
            "Say how long or how many Snapshots stay.",
          ),
        ]
      : [],
};

export const retentionPolicyRules = [periodIsReadable, somethingIsKept, selectorIsGiven] as const;
export const retentionPolicyRelations = [oneDefault] as const;
