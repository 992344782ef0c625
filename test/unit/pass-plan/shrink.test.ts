import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { goodComponentBefore, shrunkComponents } from "../../../src/pass/plan/snapshots.ts";
import type { World } from "../../../src/pass/plan/world.ts";

const repository: KubeObject = {
  apiVersion: "storage.kubestash.com/v1alpha1",
  kind: "Repository",
  metadata: { name: "repo", namespace: "app" },
};

function snapshot(name: string, session: string, hour: number, files: number): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Snapshot",
    metadata: { name, namespace: "app" },
    spec: { repository: "repo", session },
    status: {
      phase: "Succeeded",
      snapshotTime: `2026-11-20T${String(hour).padStart(2, "0")}:00:00Z`,
      components: { dump: { phase: "Succeeded", proof: { files, bytes: files * 10 } } },
    },
  };
}

function shrunk(latest: KubeObject, ...before: readonly KubeObject[]): readonly string[] {
  const world: World = {
    desired: { cluster: "lab", revision: "c", objects: new Map(), complete: true, problems: [] },
    observed: observedFrom([repository, latest, ...before], "uid"),
    recorded: {
      tip: undefined,
      restore: () => undefined,
      entry: () => undefined,
      holds: () => false,
      paths: () => [],
      otherDays: () => [],
    },
    now: Date.parse("2026-11-21T00:00:00Z"),
    own: { namespace: "holdfast", state: {} },
    instance: "i",
    image: { registry: "r", repository: "h", tag: "1" },
  };
  return shrunkComponents(latest, (component) =>
    goodComponentBefore(component, latest, repository, world),
  ).map(({ component, measure }) => `${component} ${measure}`);
}

test("a component is compared with the last good one of its own session", () => {
  const other = snapshot("other", "daily", 9, 1000);
  const own = snapshot("own", "hourly", 8, 10);
  expect(shrunk(snapshot("now", "hourly", 10, 9), other, own)).toEqual([]);
  expect(shrunk(snapshot("now", "hourly", 10, 4), other, own)).toEqual(["dump files", "dump bytes"]);
});

test("the first one of a new session is compared with the last good one of any session", () => {
  const other = snapshot("other", "daily", 9, 1000);
  expect(shrunk(snapshot("now", "renamed", 10, 3), other)).toEqual(["dump files", "dump bytes"]);
  expect(shrunk(snapshot("now", "renamed", 10, 900), other)).toEqual([]);
});

test("without any good one before there is nothing to shrink from", () => {
  expect(shrunk(snapshot("now", "hourly", 10, 3))).toEqual([]);
});
