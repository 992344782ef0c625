import { describe, expect, test } from "vitest";
import { recordFinalizer } from "../../../src/api/labels.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { outboxMap } from "../../../src/api/own-notes.ts";
import { asRecord } from "../../../src/base/json.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import type { Step } from "../../../src/pass/plan/step.ts";
import type { World } from "../../../src/pass/plan/world.ts";
import { passes } from "./model/events.ts";
import { phase } from "./model/laws.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

/** A world in which a backup ended while the remote was away, for over ten minutes. */
function endedWhileAway(): { readonly simulation: Simulation; readonly session: string } {
  const simulation = new Simulation({ ...scene, history: 1 });
  simulation.happen({ do: "remote", away: true });
  simulation.happen({ do: "trigger", session: "often" });
  const session = simulation.cluster.list("BackupSession").at(-1)?.metadata.name ?? "";
  for (let round = 0; round < 6; round += 1) {
    simulation.happen({ do: "passes", by: 0, count: 2 });
    simulation.happen({ do: "end-job", pick: 0, ending: { ok: true, report: true, source: "whole" } });
  }
  expect(phase(simulation.cluster.find("BackupSession", "app", session))).toBe("Succeeded");
  simulation.happen({ do: "clock", seconds: 600 });
  return { simulation, session };
}

function outbox(simulation: Simulation): readonly string[] {
  return simulation.cluster
    .list("ConfigMap", "holdfast")
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith("outbox-"));
}

/** Kills the next pass of the first run right after the last step that is meant. */
function killAfter(simulation: Simulation, meant: (step: Step) => boolean): void {
  const { steps } = simulation.plan(0).plan;
  const at = steps.findLastIndex(meant);
  expect(at).toBeGreaterThanOrEqual(0);
  simulation.happen({ do: "pass", by: 0, trouble: { crashAt: at + 1 } });
}

function timesTold({ record }: Simulation, session: string): number {
  return record.pushed.filter(
    ({ path, content, when }) => path.endsWith(`/${session}.yaml`) && content !== undefined && when === "now",
  ).length;
}

test("a run that is killed after an entry is in the outbox and before its object is let go doubles nothing", () => {
  const { simulation, session } = endedWhileAway();
  killAfter(simulation, (step) => step.kind === "create" && step.object.kind === "ConfigMap");
  expect(outbox(simulation)).toHaveLength(2);
  const held = simulation.cluster.find("BackupSession", "app", session);
  expect(held?.metadata.finalizers).toContain(recordFinalizer);
  simulation.settle();
  simulation.expectRest();
  expect(timesTold(simulation, session)).toBe(1);
});

test("a run that is killed after the push and before the outbox is emptied doubles nothing", () => {
  const { simulation, session } = endedWhileAway();
  simulation.happen({ do: "passes", by: 0, count: 3 });
  simulation.happen({ do: "namespace", there: false });
  simulation.happen(passes);
  expect(simulation.cluster.list("BackupSession")).toEqual([]);
  simulation.happen({ do: "remote", away: false });
  simulation.happen({ do: "pass", by: 0, trouble: {} });
  expect(timesTold(simulation, session)).toBe(1);
  expect(outbox(simulation)).not.toEqual([]);
  simulation.happen({ do: "restart", by: 0 });
  simulation.happen({ do: "pass", by: 0, trouble: { crashAt: 0 } });
  simulation.happen({ do: "passes", by: 1, count: 3 });
  expect(outbox(simulation)).toEqual([]);
  simulation.settle();
  simulation.expectRest();
  expect(timesTold(simulation, session)).toBe(1);
});

test("an object that comes back under the name of one that waits in the outbox is recorded after it", () => {
  const simulation = new Simulation({ ...scene, keep: 1, history: 0 });
  const pass = { do: "pass", by: 0, trouble: {} } as const;
  const end = { do: "end-job", pick: 0, ending: { ok: true, report: true, source: "whole" } } as const;
  const often = { do: "trigger", session: "often" } as const;
  for (const event of [
    { do: "remote", away: true } as const,
    { do: "trigger", session: "files" } as const,
    often,
    { do: "passes", by: 0, count: 2 } as const,
    { do: "namespace", there: false } as const,
    { do: "passes", by: 0, count: 2 } as const,
    { do: "namespace", there: true } as const,
    pass,
    often,
    pass,
    end,
    pass,
    often,
    pass,
    end,
  ])
    simulation.happen(event);
  const waiting = outbox(simulation);
  simulation.settle();
  simulation.expectRest();
  expect(waiting).not.toEqual([]);
  const uids = new Map<string, Set<unknown>>();
  for (const { path, content } of simulation.record.pushed)
    if (content !== undefined)
      uids.set(path, (uids.get(path) ?? new Set()).add(asRecord(content["metadata"])["uid"]));
  const twice = [...uids].filter(([, of]) => of.size > 1).map(([path]) => path.split("/").at(-1));
  expect(twice).toContainEqual(expect.stringMatching(/^web-often-\d+\.yaml$/));
});

test("a plan while the remote is away says so once for all, and shows what goes into the outbox", () => {
  const { simulation } = endedWhileAway();
  const { plan } = simulation.plan(0);
  expect(plan.problems.filter(({ reason }) => reason === "RemoteAway")).toHaveLength(1);
  expect(
    plan.steps.filter((step) => step.kind === "create" && step.because.startsWith("the remote is away")),
  ).toHaveLength(2);
});

const away = { sinceMs: now - 600_000, because: "cut" };

function awayWorld(...objects: readonly KubeObject[]): World {
  const world = worldOf(...objects);
  return { ...world, own: { ...world.own, state: { away } } };
}

test("an entry that no ConfigMap holds waits with its object, by name", () => {
  const large = objectOf("BackupSession", "app/web-often-1", {
    metadata: { finalizers: [recordFinalizer], annotations: { note: "x".repeat(1_000_001) } },
    spec: { invoker: { name: "web" }, session: "often" },
    status: { phase: "Succeeded" },
  });
  const { steps, problems } = planPass(awayWorld(large));
  expect(steps.filter(({ kind }) => kind === "create" || kind === "patch")).toEqual([]);
  expect(problems).toContainEqual(
    expect.objectContaining({ reason: "OutboxEntryTooLarge", object: "BackupSession app/web-often-1" }),
  );
});

test("a ConfigMap of the outbox that somebody spoiled is named, and neither recorded nor deleted", () => {
  const place = { cluster: "lab", namespace: "holdfast" };
  const path = "clusters/lab/sessions/app/web/2026/11/20/web-often-1.yaml";
  const foreign = outboxMap(place, { path: path.replace("lab", "other"), content: {} });
  const spoiled = { ...outboxMap(place, { path, content: {} }), data: { path, entry: "{" } };
  const { steps, entries, problems } = planPass(worldOf(foreign, spoiled));
  expect({ steps, entries }).toEqual({ steps: [], entries: [] });
  expect(problems.map(({ reason }) => reason)).toEqual(["OutboxEntryUnreadable", "OutboxEntryUnreadable"]);
});

describe("an entry of the outbox", () => {
  const place = { cluster: "lab", namespace: "holdfast" };
  const sessionPath = "clusters/lab/sessions/app/web/2026/11/20/web-often-1.yaml";
  const restorePath = "clusters/lab/restores/app/back.yaml";
  const apiVersion = "core.kubestash.com/v1alpha1";
  const own = { namespace: "app", uid: "of-one", creationTimestamp: "2026-11-20T11:59:00Z" };
  const metadata = { ...own, name: "web-often-1" };
  const session = { apiVersion, kind: "BackupSession", metadata, spec: { invoker: { name: "web" } } };
  const claim = { specDigest: "d", clusterUid: "u", holder: "h", claimedAt: "2026-11-20T11:00:00Z" };
  const restore = {
    apiVersion,
    kind: "RestoreSession",
    metadata: { ...own, name: "back" },
    record: { phase: "Succeeded", ...claim },
  };
  const { holder: _holder, ...withoutHolder } = restore.record;
  const planned = (path: string, content: Readonly<Record<string, unknown>>) =>
    planPass(worldOf(outboxMap(place, { path, content })));

  test.each([
    ["of a session", sessionPath, session],
    ["of a session with a number beyond 2^53", sessionPath, { ...session, status: { size: 2n ** 63n - 1n } }],
    ["of a restore with its claim", restorePath, restore],
  ])("%s is recorded", (_what, path, content) => {
    const { entries, problems } = planned(path, content);
    expect(entries).toMatchObject([{ path, content }]);
    expect(problems).toEqual([]);
  });

  test.each([
    ["says nothing", sessionPath, {}],
    ["is of another name", sessionPath, { ...session, metadata: { ...metadata, name: "web-often-2" } }],
    ["is of another namespace", sessionPath, { ...session, metadata: { ...metadata, namespace: "other" } }],
    ["has no uid", sessionPath, { ...session, metadata: { ...metadata, uid: undefined } }],
    ["is of another kind", sessionPath, { ...session, kind: "RestoreSession" }],
    ["is of another group", sessionPath, { ...session, apiVersion: "example.com/v1" }],
    ["has a list for a name", restorePath, { ...restore, metadata: { ...own, name: ["back"] } }],
    ["is a restore without a claim", restorePath, { ...restore, record: undefined }],
    ["is a restore without a holder", restorePath, { ...restore, record: withoutHolder }],
    ["was claimed at no time", restorePath, { ...restore, record: { ...restore.record, claimedAt: "x" } }],
  ])("that %s is named, and neither recorded nor deleted", (_what, path, content) => {
    const { steps, entries, problems } = planned(path, content);
    expect({ steps, entries }).toEqual({ steps: [], entries: [] });
    expect(problems.map(({ reason }) => reason)).toEqual(["OutboxEntryUnreadable"]);
  });

  test("of a restore waits while what the record has of it cannot be read", () => {
    const world = worldOf(outboxMap(place, { path: restorePath, content: restore }));
    const spoiled = { phase: "Unreadable", specDigest: "", clusterUid: "", uid: undefined, holder: "" };
    const entry = { ...spoiled, claimedAtMs: 0, status: {}, commit: "c", unreadable: "it is no map" };
    const recorded = { ...world.recorded, restore: () => entry, paths: () => [restorePath] };
    const { steps, entries, problems } = planPass({ ...world, recorded });
    expect({ steps, entries }).toEqual({ steps: [], entries: [] });
    expect(problems.map(({ reason }) => reason)).toEqual(["RecordEntryUnreadable"]);
  });
});
