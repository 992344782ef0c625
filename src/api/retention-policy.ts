import { ageColumn, column, type KindDefinition, namespacedKind, ownCategories, type Plain } from "./kind.ts";
import { flag, integer, object, optional, type TypeOf, text } from "./schema.ts";
import { usagePolicy } from "./usage-policy.ts";

export type RetentionPolicy = Plain<typeof spec>;
export type RetentionPolicySpec = TypeOf<typeof spec>;

const keep = (what: string) => optional(integer(what, { minimum: 0 }));

const spec = object(
  {
    maxRetentionPeriod: optional(
      text(
        "Older Snapshots go: numbers with the units y, mo, w, d, h, m, such as `30d12h`; a month is 30 days, a year 365; of a unit that comes twice the last one counts.",
      ),
    ),
    successfulSnapshots: optional(
      object(
        {
          last: keep("How many of the newest stay."),
          hourly: keep("Of how many hours the newest stays."),
          daily: keep("Of how many days the newest stays."),
          weekly: keep("Of how many weeks the newest stays."),
          monthly: keep("Of how many months the newest stays."),
          yearly: keep("Of how many years the newest stays."),
        },
        "Snapshots that succeeded: what any of the counts keeps stays.",
      ),
    ),
    failedSnapshots: optional(
      object(
        { last: optional(integer("How many of the newest stay.", { default: 1, minimum: 0 })) },
        "Snapshots that failed; one stays when nothing is said.",
      ),
    ),
    usagePolicy: optional(usagePolicy("Which namespaces may refer to this policy.")),
    default: optional(flag("Used by backends that name no retention policy; at most one in a namespace.")),
  },
  "What is wanted.",
);

export const retentionPolicyKind = {
  resource: namespacedKind("storage", "RetentionPolicy", "retentionpolicies"),
  shortNames: [],
  categories: ownCategories,
  columns: [
    column("Max-Retention-Period", ".spec.maxRetentionPeriod"),
    column("Default", ".spec.default", "boolean"),
    ageColumn,
  ],
  spec,
  status: undefined,
  intro: [
    "A RetentionPolicy says which Snapshots of a Repository stay.",
    "The last good Snapshot of a component stays whatever the policy says.",
  ],
  phases: [],
  conditions: [],
  example: {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "RetentionPolicy",
    metadata: { name: "two-weeks", namespace: "vault" },
    spec: {
      maxRetentionPeriod: "2w",
      successfulSnapshots: { last: 7, daily: 14 },
      failedSnapshots: { last: 2 },
      usagePolicy: { allowedNamespaces: { from: "All" } },
    },
  },
} as const satisfies KindDefinition;
