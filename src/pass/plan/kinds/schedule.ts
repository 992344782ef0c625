import { type Condition, setCondition, timeText } from "../../../api/conditions.ts";
import type { DueTimes } from "../../../api/due-times.ts";
import { labelValue, offshootLabels } from "../../../api/labels.ts";
import { type KubeObject, ownerOf, refOf } from "../../../api/meta.ts";
import { triggerName } from "../../../api/names.ts";
import { asRecord, records } from "../../../base/json.ts";
import type { Draft } from "../draft.ts";
import { driftOf } from "../drift.ts";
import { dueTimesOf } from "../due.ts";
import { isBeingDeleted, type World } from "../world.ts";
import { type InitialBackup, initialBackup, startInitialBackup } from "./initial-backup.ts";
import { judgedRuns, type SessionBefore } from "./missed-runs.ts";

type Json = Readonly<Record<string, unknown>>;

/** A CronJob with its ServiceAccount per session, and the first backup once everything is ready. */
export function ensureSchedulers(draft: Draft, world: World): void {
  const configuration = draft.object;
  const before = records(draft.status["sessions"]);
  const sessions = records(asRecord(configuration["spec"])["sessions"]);
  const initial: InitialBackup[] = [];
  draft.status["sessions"] = sessions.map((session) => {
    const known = before.find((one) => one["name"] === session["name"]);
    const conditions = (
      Array.isArray(known?.["conditions"]) ? known["conditions"] : []
    ) as readonly Condition[];
    const begun = initialBackup(configuration, session, conditions, world);
    initial.push(begun);
    return scheduledSession(
      draft,
      session,
      { nextSchedule: known?.["nextSchedule"], conditions: begun.conditions },
      world,
    );
  });
  startInitialBackup(draft, initial, world);
  removeStrangers(draft, sessions, world);
}

function scheduledSession(draft: Draft, session: Json, before: SessionBefore, world: World): Json {
  const name = String(session["name"]);
  const wanted = cronJob(draft.object, session, world);
  const live = world.observed.get(refOf(wanted));
  const drifted =
    live !== undefined && !isBeingDeleted(live) && driftOf(wanted["spec"], live["spec"], "spec").length > 0;
  const because = `session ${name} runs on "${String(asRecord(session["scheduler"])["schedule"])}"`;
  // Without its account a CronJob stands there and starts nothing.
  for (const object of triggerAccess(wanted))
    if (world.observed.get(refOf(object)) === undefined) draft.step({ kind: "create", object, because });
  if (live === undefined || drifted) {
    draft.step({
      kind: "apply",
      object: wanted,
      change: live ? "configure" : "create",
      drift: live ? driftOf(wanted["spec"], live["spec"], "spec") : [],
      because,
    });
  }
  const runs = judgedRuns(draft, { session, before, wanted, live }, world);
  const conditions = setCondition(
    runs.conditions,
    live === undefined
      ? {
          type: "SchedulerEnsured",
          status: "False",
          reason: "SchedulerNotEnsured",
          message: "its CronJob is being made",
        }
      : { type: "SchedulerEnsured", status: "True", reason: "SchedulerEnsured", message: "" },
    world.now,
  );
  const due = () => world.observed.derived.of(draft.object, dueBySession).get(name);
  const next = runs.openMs ?? due()?.next(world.now);
  return { name, ...(next === undefined ? {} : { nextSchedule: timeText(next) }), conditions };
}

/** By session's name; none of one that does not run. */
function dueBySession(configuration: KubeObject): ReadonlyMap<string, DueTimes | undefined> {
  const sessions = records(asRecord(configuration["spec"])["sessions"]);
  return new Map(
    sessions.map((session) => {
      const suspend = isSuspended(configuration, session);
      return [String(session["name"]), dueTimesOf({ ...asRecord(session["scheduler"]), suspend })];
    }),
  );
}

function isSuspended(configuration: KubeObject, session: Json): boolean {
  return (
    asRecord(session["scheduler"])["suspend"] === true || asRecord(configuration["spec"])["paused"] === true
  );
}

function cronJob(configuration: KubeObject, session: Json, world: World): KubeObject {
  const { schedule, jobTemplate, concurrencyPolicy, ...limits } = asRecord(session["scheduler"]);
  const { template, ...job } = asRecord(jobTemplate);
  const pod = asRecord(asRecord(template)["spec"]);
  const name = triggerName(configuration.metadata.name, String(session["name"]));
  const { registry, repository, tag } = world.image;
  const labels = {
    ...offshootLabels(configuration),
    "kubestash.com/session-name": labelValue(String(session["name"])),
  };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name,
      namespace: configuration.metadata.namespace ?? "",
      labels,
      ownerReferences: [ownerOf(configuration)],
    },
    spec: {
      schedule,
      concurrencyPolicy: concurrencyPolicy ?? "Allow",
      ...limits,
      suspend: isSuspended(configuration, session),
      jobTemplate: {
        metadata: { labels },
        spec: {
          // Triggers whose pods cannot start must not pile up.
          activeDeadlineSeconds: 3600,
          ...job,
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: name,
              ...pod,
              restartPolicy: "Never",
              containers: [
                {
                  name: "trigger",
                  image: `${registry}/${repository}:${tag}`,
                  args: [
                    "job",
                    "trigger-backup",
                    "--invoker-kind=BackupConfiguration",
                    `--invoker-namespace=${configuration.metadata.namespace}`,
                    `--invoker-name=${configuration.metadata.name}`,
                    `--session-name=${String(session["name"])}`,
                  ],
                },
              ],
            },
          },
        },
      },
    },
  };
}

function triggerAccess(cron: KubeObject): readonly KubeObject[] {
  const { name, namespace = "", labels = {}, ownerReferences = [] } = cron.metadata;
  const metadata = {
    name,
    namespace,
    labels,
    ownerReferences: ownerReferences.map((owner) => ({ ...owner, controller: false })),
  };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      subjects: [{ kind: "ServiceAccount", name, namespace }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "kubestash-cron-job" },
    },
  ];
}

/** CronJobs of sessions that are no longer in the spec. */
function removeStrangers(draft: Draft, sessions: readonly Json[], world: World): void {
  const names = new Set(
    sessions.map((session) => triggerName(draft.object.metadata.name, String(session["name"]))),
  );
  const uid = draft.object.metadata.uid ?? "";
  for (const object of world.observed.ownedBy(uid)) {
    if (
      !["CronJob", "ServiceAccount", "RoleBinding"].includes(object.kind) ||
      names.has(object.metadata.name)
    )
      continue;
    if (isBeingDeleted(object)) continue;
    draft.step({
      kind: "delete",
      ref: refOf(object),
      uid: object.metadata.uid ?? "",
      because: "its session is no longer declared",
    });
  }
}
