import { addonInfo } from "./addon-info.ts";
import { restoreSessionConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { hookList, hookStatus } from "./hook-info.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { manifestOptions } from "./manifest-options.ts";
import { restoreSessionPhases } from "./phases/restore-session-phase.ts";
import { foundReference, objectReference, typedObjectReference } from "./references.ts";
import {
  choice,
  duration,
  flag,
  integer,
  list,
  map,
  object,
  optional,
  type TypeOf,
  text,
  time,
} from "./schema.ts";
import { restoreProgress } from "./snapshot-component.ts";

export type RestoreSession = ObjectOf<typeof spec, typeof status>;
export type RestoreSessionSpec = TypeOf<typeof spec>;
export type RestoreSessionStatus = TypeOf<typeof status>;
export type RestoreComponent = NonNullable<RestoreSessionStatus["components"]>[string];
export type RestoreResults = NonNullable<RestoreComponent["results"]>;

const phases = ["Pending", "Running", "Failed", "Succeeded", "Invalid", "Unknown"] as const;

const spec = object(
  {
    target: optional(
      typedObjectReference(
        "What is restored; absent for resources of the cluster and when volumeClaimTemplates make the volumes.",
      ),
    ),
    dataSource: object(
      {
        namespace: optional(text("Namespace of the Repository and the Snapshot; the own one when absent.")),
        repository: optional(text("Repository; needed for `latest` and for pitr.")),
        snapshot: optional(
          text(
            "Name of a Snapshot, or `latest`: the newest that succeeded and is neither partial nor shrunk.",
          ),
        ),
        components: optional(list(text("Name of a component."), "Restore these only; all when absent.")),
        encryptionSecret: optional(objectReference("Secret in place of the Repository's.")),
        pitr: optional(
          object(
            {
              targetTime: optional(time("Point in time to restore.")),
              exclusive: optional(flag("Stop before it and not after it.")),
            },
            "A point in time between Snapshots.",
          ),
        ),
      },
      "What is restored from.",
    ),
    addon: addonInfo("What does the restore."),
    hooks: optional(
      object(
        {
          preRestore: optional(hookList("Hooks before the restore; one that fails stops it.")),
          postRestore: optional(hookList("Hooks after the restore.")),
        },
        "What runs around the restore.",
      ),
    ),
    restoreTimeout: optional(duration("How long the restore may take; seven days when absent.")),
    manifestOptions: optional(manifestOptions()),
  },
  "What is wanted.",
);

const count = (description: string) => integer(description, { format: "int64", minimum: 0 });

/** Objects of one type of which the same became, for the same reason. */
const objectGroup = object(
  {
    type: text("Group-resource, such as `deployments.apps`."),
    did: choice(
      ["failed", "conflict", "updated", "skipped", "created", "same"],
      "What became of them; `conflict`: they exist with other content and stay, because objects that exist are not to be overwritten.",
    ),
    reason: optional(text("Why, and what was changed on the way in.")),
    count: count("How many they are."),
    names: list(text("`namespace/name`, or the name alone."), "The first of them, as far as there is room."),
  },
  "One group.",
);

/** What a restored component came to; Holdfast's own. */
const results = object(
  {
    created: count("Objects or files that were not there before."),
    updated: count("Objects or files that were changed."),
    unchanged: count("Objects or files that were as they should be."),
    conflicts: optional(count("Objects that exist with other content and stayed as they are.")),
    skipped: count("Objects or files that were left out on purpose."),
    failed: count("Objects or files that could not be restored."),
    files: count("Files in the restored data."),
    bytes: count("Bytes in the restored data."),
    objects: optional(
      list(objectGroup, "What became of which objects, failures first; at most 256 KiB. Manifests only."),
    ),
    warnings: optional(
      list(text("One name."), "Names in the parameters that choose nothing, at most 50; manifests only."),
    ),
    unlisted: optional(
      count("Objects that there was no room to name; the Job's log has a line of JSON for every one."),
    ),
  },
  "What was done, also before an end by an error; written by Holdfast only.",
);

const component = object(
  {
    phase: optional(choice(phases, "How it stands.")),
    progress: optional(restoreProgress()),
    duration: optional(text("How long it took.")),
    error: optional(text("Why it failed.")),
    results: optional(results),
  },
  "One component.",
);

const claim = object(
  {
    commit: text("Commit of the record that holds the claim."),
    clusterUID: text("UID of the Namespace kube-system where it was claimed."),
    specDigest: text("SHA-256 of the spec as it was claimed."),
  },
  "The restore's claim in the record: it ran here once and never runs again; written by Holdfast only.",
);

const status = object(
  {
    phase: optional(choice(phases, "How the restore stands.")),
    targetFound: optional(flag("Whether the target exists.")),
    duration: optional(text("How long it took.")),
    restoreDeadline: optional(time("When it must be done.")),
    totalComponents: optional(integer("Components to restore.", { minimum: 0 })),
    components: optional(map(component, "Components by name.")),
    hooks: optional(hookStatus()),
    dependencies: optional(list(foundReference("One object."), "Objects that the restore needs.")),
    pausedBackups: optional(
      list(typedObjectReference("One BackupConfiguration."), "Backups that stand still for the restore."),
    ),
    claim: optional(claim),
    conditions: optional(conditionList()),
  },
  "How it went.",
);

export const restoreSessionKind = {
  resource: namespacedKind("core", "RestoreSession", "restoresessions"),
  shortNames: ["restore"],
  categories: allCategories,
  columns: [
    column("Repository", ".spec.dataSource.repository"),
    column("Phase", ".status.phase"),
    column("Duration", ".status.duration"),
    ageColumn,
  ],
  spec,
  status,
  intro: [
    "A RestoreSession is one restore of one Snapshot.",
    "It runs once; a restore that is wanted again needs a new name.",
  ],
  phases: restoreSessionPhases,
  conditions: Object.values(restoreSessionConditions),
  example: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "RestoreSession",
    metadata: { name: "web-back", namespace: "shop" },
    spec: {
      target: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" },
      dataSource: { repository: "shop-web-repo", snapshot: "latest" },
      addon: { name: "workload-addon", tasks: [{ name: "logical-backup-restore" }] },
    },
  },
} as const satisfies KindDefinition;
