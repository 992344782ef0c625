import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { Draft } from "../../../src/pass/plan/draft.ts";
import { ensureStored } from "../../../src/pass/plan/store.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

function storage(pod: Readonly<Record<string, unknown>>): KubeObject {
  return objectOf("BackupStorage", "vault/store", {
    spec: {
      storage: { provider: "local", local: { mountPath: "/b", persistentVolumeClaim: { claimName: "b" } } },
      runtimeSettings: { pod, container: { nice: { adjustment: 5 }, resources: { limits: { cpu: "1" } } } },
    },
  });
}

function planned(object: KubeObject, owner: KubeObject, ...around: readonly KubeObject[]) {
  const world = worldOf(objectOf("Namespace", "vault"), object, owner, ...around);
  const draft = new Draft(owner, world.now);
  const request = {
    storage: object,
    write: { do: "initialize" },
    condition: "BackendInitialized",
    whenTrue: "Yes",
    whenFalse: "No",
    because: "of a test",
  } as const;
  const done = ensureStored(draft, request, world);
  return { done, turn: draft.turn("test") };
}

function created(turn: ReturnType<typeof planned>["turn"], kind: string): KubeObject | undefined {
  return turn.steps
    .flatMap((step) => (step.kind === "create" ? [step.object] : []))
    .find((object) => object.kind === kind);
}

test("settings of a storage's Jobs go where a pod takes them, and nowhere else", () => {
  const own = storage({
    podLabels: { team: "a" },
    podAnnotations: { note: "b" },
    nodeName: "one",
    serviceAccountAnnotations: { c: "d" },
  });
  const job = created(planned(own, own).turn, "Job");
  expect(job?.["spec"]).toMatchObject({
    template: {
      metadata: {
        labels: { team: "a", "app.kubernetes.io/managed-by": "holdfast" },
        annotations: { note: "b" },
      },
      spec: { nodeName: "one", serviceAccountName: "init-store", restartPolicy: "Never" },
    },
  });
  const text = JSON.stringify(job);
  for (const stray of ["podLabels", "podAnnotations", "serviceAccountAnnotations", "nice"])
    expect(text).not.toContain(`"${stray}"`);
});

test("a ServiceAccount of the user is taken, and none is made", () => {
  const own = storage({ serviceAccountName: "mine" });
  const { turn } = planned(own, own);
  expect(created(turn, "Job")?.["spec"]).toMatchObject({
    template: { spec: { serviceAccountName: "mine" } },
  });
  expect(created(turn, "ServiceAccount")).toBeUndefined();
  expect(created(turn, "RoleBinding")?.["subjects"]).toMatchObject([{ name: "mine" }]);
});

test("a Job of the same name that belongs to another object is waited for, not taken for its own", () => {
  const own = storage({});
  const repository = objectOf("Repository", "vault/store");
  const { uid = "" } = repository.metadata;
  const other = objectOf("Job", "vault/init-store", {
    metadata: {
      ownerReferences: [{ apiVersion: repository.apiVersion, kind: "Repository", name: "store", uid }],
    },
    status: { conditions: [{ type: "Complete", status: "True" }] },
  });
  const { done, turn } = planned(own, own, other);
  expect(done).toBe(false);
  expect(turn).toMatchObject({ steps: [], waiting: ["BackupStorage vault/store: Job init-store to go"] });
});

test("long names that share a beginning stay two", () => {
  const long = "a".repeat(60);
  const names = ["x", "y"].map((end) => {
    const own = { ...storage({}), metadata: { ...storage({}).metadata, name: `${long}-${end}` } };
    return created(planned(own, own).turn, "Job")?.metadata.name ?? "";
  });
  expect(new Set(names).size).toBe(2);
  expect(names.every((name) => name.length <= 63)).toBe(true);
});

test("a storage says why its Job's pod does not begin, and no more once that has", () => {
  const own = storage({});
  const owners = (uid: string) => [{ apiVersion: "v1", kind: "x", name: "x", uid }];
  const job = {
    ...objectOf("Job", "vault/init-store", { metadata: { ownerReferences: owners(own.metadata.uid ?? "") } }),
    status: { active: 1 },
  };
  const podAged = (seconds: number, status: Readonly<Record<string, unknown>>) =>
    objectOf("Pod", "vault/init-store-x", {
      metadata: {
        creationTimestamp: new Date(now - seconds * 1000).toISOString(),
        ownerReferences: owners(job.metadata.uid ?? ""),
      },
      status,
    });
  const waiting = {
    phase: "Pending",
    containerStatuses: [{ state: { waiting: { message: "hostPath /nowhere does not exist" } } }],
  };
  const young = planned(own, own, job, podAged(29, waiting)).turn;
  expect(young).toMatchObject({ steps: [], problems: [], wakeAtMs: now + 1000 });
  const { turn } = planned(own, own, job, podAged(31, waiting));
  const message = "its pod init-store-x has not begun: hostPath /nowhere does not exist";
  const told = {
    conditions: [{ type: "BackendInitialized", status: "Unknown", reason: "JobHasNotBegun", message }],
  };
  expect(turn).toMatchObject({ steps: [{ kind: "status", status: told }], problems: [{ message }] });
  const before = { ...own, status: told };
  const begun = planned(own, before, job, podAged(60, { phase: "Running" })).turn;
  expect(begun).toMatchObject({ steps: [{ status: { conditions: [] } }], problems: [] });
});

test("the refusal of a storage's Job is told by the storage's condition", () => {
  const own = storage({});
  const { turn } = planned(own, own);
  const made = turn.steps.filter((step) => step.kind === "create");
  expect(made.map(({ object }) => object.kind)).toContain("Job");
  for (const { mark } of made)
    expect(mark).toMatchObject({
      condition: "BackendInitialized",
      ref: { kind: "BackupStorage", name: "store" },
    });
});
