import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { keyOf, refOf } from "../../../src/api/meta.ts";
import { digestOf } from "../../../src/base/digest.ts";
import type { DesiredObject } from "../../../src/pass/desired/desired.ts";
import {
  declaredDigest,
  declaredIn,
  planDeclaredObjects,
  planPrune,
} from "../../../src/pass/plan/declared-objects.ts";
import type { World } from "../../../src/pass/plan/world.ts";
import { objectOf, worldOf } from "./world-of.ts";

const namespace = objectOf("Namespace", "app");
const annotations = { [declaredIn]: "lab/policy.yaml", [declaredDigest]: "1" };
const spec = { successfulSnapshots: { last: 3 }, list: [{ a: 1 }] };

function policy(changes: { metadata?: Partial<KubeObject["metadata"]>; spec?: unknown } = {}): KubeObject {
  return objectOf("RetentionPolicy", "app/few", {
    spec,
    ...changes,
    metadata: { annotations, ...changes.metadata },
  });
}

function declaring(world: World, ...objects: readonly KubeObject[]): World {
  const desired = objects.map(
    (object) =>
      [
        keyOf(refOf(object)),
        { object, place: { path: "policy.yaml", line: 4 }, digest: "" } satisfies DesiredObject,
      ] as const,
  );
  return { ...world, desired: { ...world.desired, objects: new Map(desired) } };
}

function wanted(): KubeObject {
  return {
    apiVersion: policy().apiVersion,
    kind: "RetentionPolicy",
    metadata: { name: "few", namespace: "app", annotations },
    spec,
  };
}

describe("planDeclaredObjects", () => {
  test("creates what is absent and names its file and line", () => {
    expect(planDeclaredObjects(declaring(worldOf(namespace), wanted())).steps).toMatchObject([
      { kind: "apply", change: "create", because: "policy.yaml:4 declares it" },
    ]);
  });

  test("leaves alone what is as declared, whatever the server has added", () => {
    const live = policy({ spec: { ...spec, usagePolicy: { from: "Same" } } });
    expect(planDeclaredObjects(declaring(worldOf(namespace, live), wanted()))).toEqual({
      steps: [],
      problems: [],
    });
  });

  test("undoes drift and names the paths", () => {
    const live = policy({ spec: { successfulSnapshots: { last: 9 }, list: [{ a: 2 }] } });
    expect(planDeclaredObjects(declaring(worldOf(namespace, live), wanted())).steps).toMatchObject([
      { change: "configure", drift: ["spec.successfulSnapshots.last", "spec.list[0].a"] },
    ]);
  });

  test("calls a changed declaration no drift", () => {
    const live = policy({
      spec: { successfulSnapshots: { last: 9 } },
      metadata: { annotations: { ...annotations, [declaredDigest]: "0" } },
    });
    expect(planDeclaredObjects(declaring(worldOf(namespace, live), wanted())).steps).toMatchObject([
      { change: "configure", drift: [], because: "policy.yaml:4 changed it" },
    ]);
  });

  test("waits for an object that is on its way out", () => {
    const live = policy({ metadata: { deletionTimestamp: "2026-11-20T11:59:00Z" }, spec: {} });
    expect(planDeclaredObjects(declaring(worldOf(namespace, live), wanted())).steps).toEqual([]);
  });
});

describe("planDeclaredObjects among others", () => {
  test.each([
    ["Argo CD", { annotations: { "argocd.argoproj.io/tracking-id": "x" } }],
    ["Argo CD", { labels: { "argocd.argoproj.io/instance": "x" } }],
    ["Flux", { labels: { "kustomize.toolkit.fluxcd.io/name": "x" } }],
    ["Flux", { labels: { "helm.toolkit.fluxcd.io/name": "x" } }],
    ["Helm", { annotations: { "meta.helm.sh/release-name": "x" } }],
    ["Helm", { labels: { "app.kubernetes.io/managed-by": "Helm" } }],
  ])("leaves an object of %s alone and names it", (owner, metadata) => {
    const answer = planDeclaredObjects(
      declaring(worldOf(namespace, policy({ metadata, spec: {} })), wanted()),
    );
    expect(answer.steps).toEqual([]);
    expect(answer.problems).toMatchObject([
      { reason: "OwnedByOther", message: expect.stringContaining(owner) },
    ]);
  });

  test.each([
    ["missing", []],
    [
      "on its way out",
      [objectOf("Namespace", "app", { metadata: { deletionTimestamp: "2026-11-20T11:59:00Z" } })],
    ],
  ])("names a namespace that is %s", (_name, objects) => {
    const answer = planDeclaredObjects(declaring(worldOf(...objects), wanted()));
    expect(answer.steps).toEqual([]);
    expect(answer.problems).toMatchObject([
      { reason: "NamespaceNotFound", place: { path: "policy.yaml", line: 4 } },
    ]);
  });

  test("does not write another spec into a restore that is claimed", () => {
    const live = objectOf("RestoreSession", "app/back", { spec: { a: 1 } });
    const changed = { ...live, metadata: { name: "back", namespace: "app" }, spec: { a: 2 } };
    const world = declaring(worldOf(namespace, live), changed);
    const entry = {
      phase: "Claimed",
      specDigest: digestOf({ a: 1 }),
      clusterUid: "",
      uid: "",
      holder: "",
      claimedAtMs: 0,
      status: {},
      commit: "c",
    };
    expect(planDeclaredObjects(world).steps).toHaveLength(1);
    const claimed = planDeclaredObjects({ ...world, recorded: { ...world.recorded, restore: () => entry } });
    expect(claimed.steps).toEqual([]);
    expect(claimed.problems).toMatchObject([{ reason: "SpecChanged", severity: "error" }]);
  });
});

describe("planPrune", () => {
  const other = objectOf("RetentionPolicy", "app/kept", { spec });
  test("deletes by uid what is no longer declared, and says that the data stays", () => {
    expect(planPrune(declaring(worldOf(namespace, policy(), other), other)).steps).toMatchObject([
      {
        kind: "delete",
        ref: { name: "few" },
        uid: policy().metadata.uid,
        because: expect.stringContaining("data stays"),
      },
    ]);
  });

  test("holds back when a document could not be read, and when nothing is declared", () => {
    const world = declaring(worldOf(policy()), other);
    const unreadable = planPrune({ ...world, desired: { ...world.desired, complete: false } });
    expect(unreadable).toMatchObject({ steps: [], problems: [{ reason: "PruneHeld" }] });
    expect(planPrune(declaring(worldOf(policy())))).toMatchObject({
      steps: [],
      problems: [{ reason: "PruneHeld" }],
    });
  });

  test.each([
    ["of another cluster's folder", { [declaredIn]: "lab-2/policy.yaml" }],
    ["that was made by hand", {}],
  ])("leaves alone an object %s", (_name, own) => {
    const answer = planPrune(declaring(worldOf(policy({ metadata: { annotations: own } })), other));
    expect(answer).toEqual({ steps: [], problems: [] });
  });

  test("leaves alone what was declared here and is Argo CD's now", () => {
    const moved = policy({
      metadata: { annotations: { ...annotations, "argocd.argoproj.io/tracking-id": "x" } },
    });
    expect(planPrune(declaring(worldOf(moved), other))).toEqual({ steps: [], problems: [] });
  });
});
