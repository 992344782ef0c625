import { describe, expect, test } from "vitest";
import { cleanupFinalizer, recordFinalizer } from "../../../src/api/labels.ts";
import { type KubeObject, refOf } from "../../../src/api/meta.ts";
import { digestOf } from "../../../src/base/digest.ts";
import { asRecord } from "../../../src/base/json.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { claimEntry, claimOf, restoreEntryContent } from "../../../src/pass/plan/claim.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import type { World } from "../../../src/pass/plan/world.ts";
import type { RestoreEntry } from "../../../src/pass/record/recorded.ts";
import { passes } from "./model/events.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

const spec = { dataSource: { repository: "repo", snapshot: "latest" } };
const restore = objectOf("RestoreSession", "app/back", { spec });

function recorded(changes: Partial<RestoreEntry> = {}): World {
  const world = worldOf(restore);
  const entry: RestoreEntry = {
    phase: "Claimed",
    specDigest: digestOf(spec),
    clusterUid: "uid-of-kube-system",
    uid: restore.metadata.uid,
    holder: "this-run",
    claimedAtMs: now - 1000,
    status: {},
    commit: "c".repeat(40),
    ...changes,
  };
  return { ...world, recorded: { ...world.recorded, restore: () => entry } };
}

function withStatus(status: unknown): KubeObject {
  return { ...restore, status };
}

const unreadable = {
  phase: "Unreadable",
  specDigest: "",
  clusterUid: "",
  uid: undefined,
  holder: "",
  claimedAtMs: 0,
  unreadable: "it is no map; look with git log -- x.yaml",
} as const;
const ensured = { conditions: [{ type: "RestoreExecutorEnsured", status: "True" }] };

type Row = readonly [string, KubeObject, World, boolean, string | object];

const rows: readonly Row[] = [
  ["is free while nothing is recorded", restore, worldOf(restore), false, "free"],
  ["goes on when the record lost its claim and a Job is there", restore, worldOf(restore), true, "ours"],
  [
    "goes on to its end when its status tells of a Job, though nothing is known of the record",
    withStatus(ensured),
    worldOf(restore),
    false,
    "ours",
  ],
  [
    "is lost when it runs without a Job and nothing is known of the record",
    withStatus({ phase: "Running" }),
    worldOf(restore),
    false,
    { phase: "Unknown", reason: "ClaimWithoutOutcome" },
  ],
  [
    "is lost when a component has reported and its Job is gone, though this run claimed it",
    withStatus({ phase: "Pending", components: { dump: { phase: "Succeeded" } } }),
    recorded(),
    false,
    { phase: "Unknown", reason: "ClaimWithoutOutcome" },
  ],
  ["is ours when this run claimed it", restore, recorded(), false, "ours"],
  ["is left to another run for a moment", restore, recorded({ holder: "other" }), false, "elsewhere"],
  ["is ours when its Job is there, whoever claimed it", restore, recorded({ holder: "other" }), true, "ours"],
  [
    "is ours when its status tells of a Job, whoever claimed it",
    withStatus(ensured),
    recorded({ holder: "other", claimedAtMs: 0 }),
    false,
    "ours",
  ],
  [
    "is ours when it runs, though its spec was changed since",
    { ...withStatus(ensured), spec: { other: true } },
    recorded(),
    true,
    "ours",
  ],
  [
    "is lost when another run claimed it long ago and no Job is there",
    restore,
    recorded({ holder: "other", claimedAtMs: now - 30_001 }),
    false,
    { phase: "Unknown", reason: "ClaimWithoutOutcome" },
  ],
  [
    "is lost when an earlier object of the name was claimed, by this very run too",
    restore,
    recorded({ uid: "uid-of-an-earlier-object" }),
    false,
    { phase: "Unknown", reason: "ClaimWithoutOutcome" },
  ],
  [
    "is ours when the entry does not say of which object it is",
    restore,
    recorded({ uid: undefined }),
    false,
    "ours",
  ],
  [
    "is refused with another spec",
    { ...restore, spec: { other: true } },
    recorded(),
    false,
    { phase: "Invalid", reason: "SpecChanged" },
  ],
  [
    "is held when another cluster of the same name claimed it",
    restore,
    recorded({ clusterUid: "elsewhere" }),
    false,
    { phase: "Pending", reason: "ClaimedByAnotherCluster" },
  ],
  [
    "is held when its entry cannot be read, even where its status tells of a Job",
    withStatus(ensured),
    recorded(unreadable),
    false,
    {
      phase: "Pending",
      reason: "RecordEntryUnreadable",
      message: expect.stringContaining("git log -- x.yaml") as unknown,
    },
  ],
  [
    "goes on when its Job is there, though its entry cannot be read",
    restore,
    recorded(unreadable),
    true,
    "ours",
  ],
  ...(["Succeeded", "Failed", "Unknown"] as const).map(
    (phase) =>
      [
        `ends as ${phase} when that is its outcome already`,
        restore,
        recorded({ phase, status: { phase } }),
        false,
        { phase, reason: "AlreadyRun", status: { phase } },
      ] as const,
  ),
];

describe("claimOf", () => {
  test.each(rows)("a restore %s", (...row) => {
    const [, object, world, hasJob, state] = row;
    const answer = claimOf(object, world, hasJob);
    const said = typeof answer === "string" ? { state: answer } : answer;
    expect(said).toMatchObject(typeof state === "string" ? { state } : state);
    expect("state" in said || said.next.includes("holdfast restore --again back")).toBe(true);
  });
});

test("a restore whose entry cannot be read is held and told of once, and nothing is written over its entry", () => {
  const { recorded: answers, ...world } = recorded(unreadable);
  const path = "clusters/lab/restores/app/back.yaml";
  const { steps, entries, problems } = planPass({
    ...world,
    observed: observedFrom(
      [{ ...restore, metadata: { ...restore.metadata, finalizers: [cleanupFinalizer, recordFinalizer] } }],
      "uid-of-kube-system",
    ),
    recorded: { ...answers, paths: () => [path] },
  });
  expect(entries).toEqual([]);
  expect(steps).toMatchObject([
    { kind: "status", status: { phase: "Pending", conditions: [{ type: "Held", status: "True" }] } },
  ]);
  expect(problems.filter(({ reason }) => reason === "RecordEntryUnreadable")).toMatchObject([
    { object: "RestoreSession app/back", message: expect.stringContaining("git log -- x.yaml") as unknown },
  ]);
});

test("a claim names the object, the spec's digest, the cluster and the run", () => {
  expect(claimEntry(restore, worldOf(restore))).toMatchObject({
    path: "clusters/lab/restores/app/back.yaml",
    when: "now",
    summary: "restore app/back: Claimed",
    content: {
      metadata: { name: "back", namespace: "app", uid: restore.metadata.uid },
      record: {
        phase: "Claimed",
        specDigest: digestOf(spec),
        clusterUid: "uid-of-kube-system",
        holder: "this-run",
        claimedAt: "2026-11-20T12:00:00.000Z",
      },
    },
  });
});

test("no credentials in a URL reach the record by a claim or an outcome, and the digest is of the spec as it is", () => {
  const url = "https://shop:geheim@example.org/x";
  const open = objectOf("RestoreSession", "app/back", {
    spec: { ...spec, addon: { tasks: [{ name: "files", params: { url } }] } },
    status: { phase: "Failed", message: `cannot reach ${url}` },
  });
  const digest = digestOf(open["spec"]);
  const world = worldOf(open);
  const contents = [
    claimEntry(open, world).content,
    restoreEntryContent(open, { phase: "Failed", digest, world }),
  ];
  for (const content of contents) {
    expect(JSON.stringify(content)).not.toContain("geheim");
    expect(content).toMatchObject({
      spec: { addon: { tasks: [{ params: { url: "https://***@example.org/x" } }] } },
      record: { specDigest: digest },
    });
  }
  expect(contents[1]).toMatchObject({ status: { message: "cannot reach https://***@example.org/x" } });
});

describe("a restore whose Job is torn away while nothing is known of the record", () => {
  const back = (simulation: Simulation) => simulation.cluster.find("RestoreSession", "app", "back");

  /** Its Job was made, and reported; what is refused keeps its status from saying that all is made, if anything is. */
  function torn(refused: string | undefined): Simulation {
    const simulation = new Simulation(scene);
    if (refused !== undefined) simulation.cluster.refused.add(refused);
    simulation.happen({ do: "file", name: "back", there: true });
    simulation.happen(passes);
    const restore = back(simulation);
    if (restore === undefined) throw new Error("no restore");
    const status = { components: { dump: { phase: "Running" } } };
    simulation.cluster.patch(refOf(restore), undefined, { status });
    simulation.happen(passes);
    simulation.happen({ do: "remote", away: true });
    simulation.happen({ do: "restart", by: 0 });
    const jobs = simulation.cluster.list("Job").filter(({ metadata }) => metadata.name.startsWith("back"));
    expect(jobs.length).toBeGreaterThan(0);
    for (const job of jobs) {
      simulation.cluster.patch(refOf(job), undefined, { metadata: { finalizers: [] } });
      simulation.cluster.delete(refOf(job));
    }
    simulation.cluster.refused.clear();
    simulation.happen(passes);
    return simulation;
  }

  test.each([
    ["fails when its status says that all was made", undefined, "Failed"],
    ["is held as Unknown when its status does not", "ServiceAccount", "Unknown"],
  ])("%s, and is not run again", (_name, refused, ending) => {
    const simulation = torn(refused);
    expect(asRecord(back(simulation)?.["status"])["phase"]).toBe(ending);
    simulation.settle();
    expect(asRecord(back(simulation)?.["status"])["phase"]).toBe(ending);
  });
});
