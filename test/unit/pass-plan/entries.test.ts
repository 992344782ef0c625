import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { plannedEntries } from "../../../src/pass/plan/entries.ts";
import type { World } from "../../../src/pass/plan/world.ts";
import { objectOf, worldOf } from "./world-of.ts";

const nothingWaits = { entries: [], paths: new Set<string>() };

const session = "clusters/lab/sessions/app/web/2026/11/20/web-often-1.yaml";
const snapshot = "clusters/lab/snapshots/app/web-repo/2026/11/20/web-repo-web-often-1.yaml";
const restore = "clusters/lab/restores/app/back.yaml";

function remembering(paths: readonly string[], ...objects: readonly KubeObject[]): World {
  const world = worldOf(...objects);
  return {
    ...world,
    recorded: {
      ...world.recorded,
      paths: () => paths,
      otherDays: () => [],
      entry: (path) => (paths.includes(path) ? "oid" : undefined),
    },
  };
}

function leaving(world: World): readonly string[] {
  return plannedEntries(world, nothingWaits, []).flatMap(({ path, content }) =>
    content === undefined ? [path] : [],
  );
}

const ready = { status: { phase: "Ready" } };

test("entries leave the tip with their objects while what they belong to is there", () => {
  const parents = [
    objectOf("BackupConfiguration", "app/web", ready),
    objectOf("Repository", "app/web-repo", ready),
  ];
  expect(leaving(remembering([session, snapshot, restore, "format.yaml"], ...parents))).toEqual([
    session,
    snapshot,
  ]);
});

test("a day of which no object is left leaves the tip whole, while what it belongs to is there", () => {
  const days = ["sessions/app/web", "sessions/app/gone", "snapshots/app/web-repo"].map(
    (place) => `clusters/lab/${place}/2026/11/20`,
  );
  const world = worldOf(
    objectOf("BackupConfiguration", "app/web", ready),
    objectOf("Repository", "app/web-repo", ready),
  );
  const entries = plannedEntries(
    { ...world, recorded: { ...world.recorded, otherDays: () => days } },
    nothingWaits,
    [],
  );
  expect(entries.filter(({ content }) => content === undefined)).toEqual(
    [days[0], days[2]].map((path) => ({ path, content: undefined, when: "soon", folder: true })),
  );
});

test("entries stay when what they belong to is gone or not Ready: they say what can be restored", () => {
  expect(leaving(remembering([session, snapshot, restore]))).toEqual([]);
  const parents = ["BackupConfiguration app/web", "Repository app/web-repo"].map((one) => {
    const [kind = "", place = ""] = one.split(" ");
    return objectOf(kind, place, { status: { phase: "NotReady" } });
  });
  expect(leaving(remembering([session, snapshot, restore], ...parents))).toEqual([]);
});

test("an entry stays while its object is on its way out", () => {
  const going = objectOf("BackupSession", "app/web-often-1", {
    metadata: { deletionTimestamp: "2026-11-20T11:59:30Z" },
  });
  const world = remembering([session], objectOf("BackupConfiguration", "app/web", ready), going);
  expect(leaving(world)).toEqual([]);
});

test("a finished session is told at once, and what changes of it later may wait", () => {
  const ended = objectOf("BackupSession", "app/web-often-1", {
    spec: { invoker: { name: "web" }, session: "often" },
    status: { phase: "Succeeded", nextRetry: "2026-11-20T12:01:00Z" },
  });
  expect(plannedEntries(remembering([], ended), nothingWaits, [])).toMatchObject([
    { path: session, when: "now", summary: "backup app/web: Succeeded" },
  ]);
  const [again] = plannedEntries(remembering([session], ended), nothingWaits, []);
  expect(again).toMatchObject({ path: session, when: "soon" });
  expect(again).not.toHaveProperty("summary");
  expect(again?.content?.["status"]).toEqual({ phase: "Succeeded" });
});

test("a session that belongs to no name has no entry, and stops nobody else's", () => {
  const stray = objectOf("BackupSession", "app/stray", {
    spec: { invoker: { name: "Not A Name" }, session: "often" },
    status: { phase: "Skipped" },
  });
  const other = objectOf("BackupConfiguration", "app/web", ready);
  expect(plannedEntries(remembering([], stray, other), nothingWaits, []).map(({ path }) => path)).toEqual([
    "clusters/lab/configurations/app/web.yaml",
  ]);
});
