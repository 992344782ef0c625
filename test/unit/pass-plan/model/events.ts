import fc from "fast-check";
import type { Trouble } from "./carry-out.ts";
import type { JobEnding } from "./mover.ts";
import type { SceneOptions } from "./scene.ts";

/** What may happen, in any order. */
export type Event =
  | { readonly do: "pass"; readonly by: number; readonly trouble: Trouble }
  /** Passes one after the other, until Jobs are to end. */
  | { readonly do: "passes"; readonly by: number; readonly count: number }
  /** Two runs plan over one world, and act one after the other. */
  | { readonly do: "race"; readonly first: number; readonly trouble: Trouble }
  | { readonly do: "restart"; readonly by: number }
  | { readonly do: "end-job"; readonly pick: number; readonly ending: JobEnding }
  | { readonly do: "clock"; readonly seconds: number }
  | { readonly do: "vanish"; readonly kind: string; readonly pick: number }
  /** Its finalizers are torn off by hand, and then it is deleted. */
  | { readonly do: "force"; readonly kind: string; readonly pick: number }
  | { readonly do: "namespace"; readonly there: boolean }
  | { readonly do: "secret"; readonly there: boolean }
  | { readonly do: "backend"; readonly broken: boolean }
  | { readonly do: "remote"; readonly away: boolean }
  | { readonly do: "pause"; readonly paused: boolean }
  | { readonly do: "trigger"; readonly session: "often" | "files" }
  | { readonly do: "file"; readonly name: DeclaredFile; readonly there: boolean }
  | { readonly do: "change-restore"; readonly timeout: string | undefined }
  | { readonly do: "unreadable"; readonly unreadable: boolean }
  /** Of all that have shrunk, or only of the one that was found first. */
  | { readonly do: "accept-shrink"; readonly one?: boolean };

export type DeclaredFile = "storage" | "policy" | "web" | "back" | "named";

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 8 },
  { arbitrary: fc.record({ crashAt: fc.nat(6) }), weight: 1 },
  { arbitrary: fc.record({ lostAt: fc.nat(6) }), weight: 1 },
);

const ending: fc.Arbitrary<JobEnding> = fc.record({
  ok: fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, { arbitrary: fc.constant(false), weight: 1 }),
  report: fc.oneof({ arbitrary: fc.constant(true), weight: 4 }, { arbitrary: fc.constant(false), weight: 1 }),
  source: fc.oneof(
    { arbitrary: fc.constant("whole" as const), weight: 4 },
    { arbitrary: fc.constantFrom("small" as const, "empty" as const, "partial" as const), weight: 1 },
  ),
});

const vanishing = [
  "Job",
  "Snapshot",
  "BackupSession",
  "Repository",
  "RestoreSession",
  "CronJob",
  "ServiceAccount",
  "BackupConfiguration",
  "BackupStorage",
  "RetentionPolicy",
  "Deployment",
  "RoleBinding",
];

/** As many as anything takes that waits for nobody. */
export const passes = { do: "passes", by: 0, count: 5 } as const satisfies Event;

const anyPasses = [
  weighted(12, fc.record({ do: fc.constant("pass" as const), by: fc.nat(1), trouble })),
  weighted(
    6,
    fc.record({ do: fc.constant("passes" as const), by: fc.nat(1), count: fc.integer({ min: 2, max: 5 }) }),
  ),
  weighted(2, fc.record({ do: fc.constant("race" as const), first: fc.nat(1), trouble })),
  weighted(1, fc.record({ do: fc.constant("restart" as const), by: fc.nat(1) })),
  weighted(
    3,
    fc.record({ do: fc.constant("clock" as const), seconds: fc.constantFrom(1, 31, 61, 700, 4000, 90_000) }),
  ),
];
const jobs = [weighted(8, fc.record({ do: fc.constant("end-job" as const), pick: fc.nat(9), ending }))];
const trigger = fc.record({
  do: fc.constant("trigger" as const),
  session: fc.constantFrom("often" as const, "files" as const),
});

function vanish(...kinds: readonly string[]): fc.Arbitrary<Event> {
  return fc.record({ do: fc.constant("vanish" as const), kind: fc.constantFrom(...kinds), pick: fc.nat(9) });
}

function file(...names: readonly DeclaredFile[]): fc.Arbitrary<Event> {
  return fc.record({
    do: fc.constant("file" as const),
    name: fc.constantFrom(...names),
    there: fc.boolean(),
  });
}

const changeRestore = fc.record({
  do: fc.constant("change-restore" as const),
  timeout: fc.constantFrom(undefined, "5m", "2h"),
});
const remote = fc.record({ do: fc.constant("remote" as const), away: fc.boolean() });
const namespace = fc.record({ do: fc.constant("namespace" as const), there: fc.boolean() });
const acceptShrink = fc.record({ do: fc.constant("accept-shrink" as const), one: fc.boolean() });

function histories(
  ...mixed: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Event> }[]
) {
  return fc.array(fc.oneof(...mixed), { minLength: 5, maxLength: 70, size: "max" });
}

/** Everything that may happen. */
export const allEvents: fc.Arbitrary<readonly Event[]> = histories(
  ...anyPasses,
  ...jobs,
  weighted(2, vanish(...vanishing)),
  weighted(1, namespace),
  weighted(1, fc.record({ do: fc.constant("secret" as const), there: fc.boolean() })),
  weighted(1, fc.record({ do: fc.constant("backend" as const), broken: fc.boolean() })),
  weighted(3, remote),
  weighted(1, fc.record({ do: fc.constant("pause" as const), paused: fc.boolean() })),
  weighted(3, trigger),
  weighted(3, file("storage", "policy", "web", "back", "back", "named")),
  weighted(1, changeRestore),
  weighted(1, fc.record({ do: fc.constant("unreadable" as const), unreadable: fc.boolean() })),
  weighted(1, acceptShrink),
);

/** What may happen to a restore and to those who want to run it. */
export const restoreEvents: fc.Arbitrary<readonly Event[]> = histories(
  ...anyPasses,
  ...jobs,
  weighted(4, file("back", "back", "back", "named")),
  weighted(3, vanish("RestoreSession")),
  weighted(
    3,
    fc.record({ do: fc.constant("force" as const), kind: fc.constant("RestoreSession"), pick: fc.nat(9) }),
  ),
  weighted(1, vanish("Job", "Snapshot")),
  weighted(1, changeRestore),
  weighted(1, remote),
  weighted(1, namespace),
);

/** Backups while the remote comes and goes, and with it what they belong to. */
export const awayEvents: fc.Arbitrary<readonly Event[]> = histories(
  ...anyPasses,
  ...jobs,
  weighted(6, trigger),
  weighted(4, remote),
  weighted(2, namespace),
  weighted(2, vanish("BackupSession", "Snapshot", "RestoreSession")),
  weighted(2, file("web", "back")),
);

/** Many backups of a source that is not always whole, and what retention makes of them. */
export const backupEvents: fc.Arbitrary<readonly Event[]> = histories(
  ...anyPasses,
  ...jobs,
  ...jobs,
  weighted(6, trigger),
  weighted(1, vanish("Snapshot", "BackupSession", "Job")),
  weighted(1, acceptShrink),
);

function weighted<T>(weight: number, arbitrary: fc.Arbitrary<T>) {
  return { weight, arbitrary };
}

export const scenes: fc.Arbitrary<SceneOptions> = fc.record({
  provider: fc.constantFrom("s3" as const, "s3" as const, "local" as const),
  keep: fc.integer({ min: 1, max: 2 }),
  history: fc.integer({ min: 0, max: 2 }),
  retries: fc.nat(2),
  timeout: fc.constantFrom(undefined, "10m"),
  wipeOut: fc.boolean(),
  consent: fc.boolean(),
  lived: fc.constantFrom(true, true, false),
});
