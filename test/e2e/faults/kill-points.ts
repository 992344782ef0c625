/** What is under way when somebody dies. */
export type Story =
  /** A new configuration is declared: its Repository is made and the first backup runs. */
  | "first"
  /** A session of a standing configuration, whose retention forgets the Snapshot before. */
  | "backup"
  /** A declared restore of an object that is gone. */
  | "restore";

export type Victim = "run" | "mover" | "restic";

export type KillPoint = {
  readonly label: string;
  readonly story: Story;
  /** `holdfast run`; the process of a Job; restic below it. */
  readonly dies: Victim;
  readonly at:
    | {
        /** A request that is held: `before` it is carried out, or `after`, when only the answer is missing. */
        readonly on: "api" | "store";
        readonly request: RegExp;
        readonly by: "run" | "mover" | "restic";
        readonly nth?: number;
        readonly when: "before" | "after";
      }
    | {
        readonly on: "git";
        readonly hook: "pre-receive" | "prepared" | "post-receive";
        readonly nth?: number;
      }
    | { readonly on: "restic"; readonly command: string };
  /** What heals only when it is older than anybody who could still be at work on it. */
  readonly leaves?: "a half-made repository";
  /** How a restore stands afterwards; Succeeded where nothing else is said. */
  readonly restoreEnds?: "Failed" | "Unknown";
};

type Request = Omit<Extract<KillPoint["at"], { on: "api" | "store" }>, "on" | "by">;

const group = "/apis/(?:core|storage)\\.kubestash\\.com/v1alpha1/namespaces/vault";
const before = (pattern: string, nth = 1): Request => ({ request: new RegExp(pattern), when: "before", nth });
const after = (pattern: string, nth = 1): Request => ({ request: new RegExp(pattern), when: "after", nth });

function run(story: Story, label: string, request: Request, restoreEnds?: "Failed" | "Unknown"): KillPoint {
  const at = { on: "api", by: "run", ...request } as const;
  return { label: `run ${label}`, story, dies: "run", at, ...(restoreEnds && { restoreEnds }) };
}

function mover(story: Story, label: string, request: Request, restoreEnds?: "Failed"): KillPoint {
  const at = { on: "api", by: "mover", ...request } as const;
  return { label: `job ${label}`, story, dies: "mover", at, ...(restoreEnds && { restoreEnds }) };
}

function restic(story: Story, label: string, request: Request, restoreEnds?: "Failed"): KillPoint {
  const at = { on: "store", by: "restic", ...request } as const;
  return { label: `restic ${label}`, story, dies: "restic", at, ...(restoreEnds && { restoreEnds }) };
}

const declaring: readonly KillPoint[] = [
  run("first", "before a configuration is applied", before(`^PATCH ${group}/backupconfigurations/first-`)),
  run("first", "when a configuration is applied", after(`^PATCH ${group}/backupconfigurations/first-`)),
  run("first", "when a Repository is made", after(`^PATCH ${group}/repositories/first-[^/?]+\\?`)),
  run(
    "first",
    "when a Repository's status is written",
    after(`^PATCH ${group}/repositories/first-[^/?]+/status`),
  ),
  run("first", "when a CronJob is made", after("^PATCH /apis/batch/v1/namespaces/vault/cronjobs/")),
  run("first", "when the trigger's account is made", after("^POST /api/v1/namespaces/vault/serviceaccounts")),
  run("first", "before the first session is made", before(`^POST ${group}/backupsessions`)),
  run("first", "when the first session is made", after(`^POST ${group}/backupsessions`)),
  {
    label: "run before repository.yaml is in the backend",
    story: "first",
    dies: "run",
    at: { on: "store", by: "run", ...before("^PUT /backups/lab/first-[^/]+/repository.yaml") },
  },
  {
    label: "run when repository.yaml is in the backend",
    story: "first",
    dies: "run",
    at: { on: "store", by: "run", ...after("^PUT /backups/lab/first-[^/]+/repository.yaml") },
  },
];

const backingUp: readonly KillPoint[] = [
  run("backup", "before a session is adopted", before(`^PATCH ${group}/backupsessions/[^/?]+\\?`)),
  run("backup", "when a Snapshot is made", after(`^POST ${group}/snapshots`)),
  run(
    "backup",
    "when a session's status names its Snapshot",
    after(`^PATCH ${group}/backupsessions/[^/?]+/status`),
  ),
  run("backup", "when a Job's rights are given", after("^POST /apis/rbac[^ ]+/rolebindings")),
  run("backup", "before a backup's Job is made", before("^POST /apis/batch/v1/namespaces/vault/jobs")),
  run("backup", "when a backup's Job is made", after("^POST /apis/batch/v1/namespaces/vault/jobs")),
  run("backup", "when a Snapshot's status is written", after(`^PATCH ${group}/snapshots/[^/?]+/status`)),
  run("backup", "when the Job that forgets is made", after("^POST /apis/batch/v1/namespaces/vault/jobs", 2)),
  run("backup", "before a forgotten Snapshot is deleted", before(`^DELETE ${group}/snapshots/`)),
  run("backup", "when a forgotten Snapshot is deleted", after(`^DELETE ${group}/snapshots/`)),
  run("backup", "when rights are taken back", after("^DELETE /apis/rbac[^ ]+/rolebindings/")),
  {
    label: "run when a Snapshot's file is in the backend",
    story: "backup",
    dies: "run",
    at: { on: "store", by: "run", ...after("^PUT /backups/lab/app/manifests/snapshots/") },
  },
  {
    label: "run before the record takes a commit",
    story: "backup",
    dies: "run",
    at: { on: "git", hook: "pre-receive" },
  },
  {
    label: "run while the record's ref moves",
    story: "backup",
    dies: "run",
    at: { on: "git", hook: "prepared" },
  },
  {
    label: "run when the record has a commit",
    story: "backup",
    dies: "run",
    at: { on: "git", hook: "post-receive" },
  },
  mover("backup", "before it reads its session", before(`^GET ${group}/backupsessions/`)),
  mover(
    "backup",
    "when it has read a password",
    after("^GET /api/v1/namespaces/vault/secrets/restic-password"),
  ),
  mover("backup", "when it has said that it runs", after(`^PATCH ${group}/snapshots/[^/?]+/status`)),
  mover("backup", "before it says that it is done", before(`^PATCH ${group}/snapshots/[^/?]+/status`, 2)),
  mover("backup", "when it has said that it is done", after(`^PATCH ${group}/snapshots/[^/?]+/status`, 2)),
  ...["backup", "ls", "check", "stats", "forget"].map(
    (command): KillPoint => ({
      label: `job as restic ${command} begins`,
      story: "backup",
      dies: "mover",
      at: { on: "restic", command },
    }),
  ),
  {
    label: "job while restic writes a pack",
    story: "backup",
    dies: "mover",
    at: { on: "store", by: "restic", ...before("^PUT [^ ]+/data/") },
  },
  {
    label: "job before a forgotten Snapshot's file is removed",
    story: "backup",
    dies: "mover",
    at: { on: "store", by: "mover", ...before("^DELETE /backups/lab/app/manifests/snapshots/") },
  },
];

const resticAlone: readonly KillPoint[] = [
  restic("first", "before a repository's key is written", before("^PUT [^ ]+/keys/")),
  {
    ...restic("first", "when a repository's key is written", after("^PUT [^ ]+/keys/")),
    leaves: "a half-made repository",
  },
  restic("first", "when a repository's config is written", after("^PUT [^ ]+/config$")),
  restic("backup", "when its lock is written", after("^PUT [^ ]+/locks/")),
  restic("backup", "before a pack is written", before("^PUT [^ ]+/data/")),
  restic("backup", "when the index is written", after("^PUT [^ ]+/index/")),
  restic("backup", "before a restic snapshot is written", before("^PUT [^ ]+/manifest/snapshots/")),
  restic("backup", "when a restic snapshot is written", after("^PUT [^ ]+/manifest/snapshots/")),
  restic("backup", "before its lock is removed", before("^DELETE [^ ]+/locks/")),
  restic("backup", "when a restic snapshot is forgotten", after("^DELETE [^ ]+/manifest/snapshots/")),
  restic("backup", "when a pruned index is written", after("^PUT [^ ]+/index/", 2)),
  restic("backup", "before a pruned pack is removed", before("^DELETE [^ ]+/data/")),
];

const restoring: readonly KillPoint[] = [
  {
    label: "run before a claim is taken",
    story: "restore",
    dies: "run",
    at: { on: "git", hook: "pre-receive" },
  },
  {
    label: "run when a claim is in the record",
    story: "restore",
    dies: "run",
    at: { on: "git", hook: "post-receive" },
    restoreEnds: "Unknown",
  },
  run("restore", "before a restore's Job is made", before("^POST /apis/batch/v1/[^ ]+/jobs"), "Unknown"),
  run("restore", "when a restore's Job is made", after("^POST /apis/batch/v1/[^ ]+/jobs")),
  {
    label: "run before an outcome is taken",
    story: "restore",
    dies: "run",
    at: { on: "git", hook: "pre-receive", nth: 2 },
  },
  mover(
    "restore",
    "when a restore has said that it runs",
    after(`^PATCH ${group}/restoresessions/[^/?]+/status`),
    "Failed",
  ),
  mover(
    "restore",
    "when a restore has made an object",
    after("^POST /api/v1/namespaces/app/configmaps"),
    "Failed",
  ),
  mover(
    "restore",
    "when a restore has said that it is done",
    after(`^PATCH ${group}/restoresessions/[^/?]+/status`, 2),
  ),
  restic("restore", "while it reads a pack", before("^GET [^ ]+/data/"), "Failed"),
];

/** Every place where somebody is killed. What must hold afterwards is in laws.ts, by story. */
export const killPoints: readonly KillPoint[] = [...declaring, ...backingUp, ...resticAlone, ...restoring];

/** Those for which there is always time: each kind of victim, and each story of one that stands. */
export const killSample: readonly string[] = [
  "run when a backup's Job is made",
  "job when it has said that it is done",
  "restic when its lock is written",
  "run when a claim is in the record",
];
