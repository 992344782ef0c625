import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import { objectOf, worldOf } from "./world-of.ts";

test("an object is found by its name in its own namespace, or without one", () => {
  const [here, there] = [objectOf("Repository", "demo/repo"), objectOf("Repository", "shop/repo")];
  const namespace = objectOf("Namespace", "demo");
  const observed = observedFrom([here, there, namespace], "uid");
  expect(observed.named("Repository", "demo", "repo")).toBe(here);
  expect(observed.named("Repository", "shop", "repo")).toBe(there);
  expect(observed.named("Namespace", undefined, "demo")).toBe(namespace);
  for (const name of ["other", undefined, 7])
    expect(observed.named("Repository", "demo", name)).toBeUndefined();
});

test("each object is asked once for its keys, however often one is looked up", () => {
  let asked = 0;
  const letters = ({ metadata }: KubeObject) => {
    asked += 1;
    return metadata.name.split("");
  };
  const [ab, bb] = [objectOf("Snapshot", "demo/ab"), objectOf("Snapshot", "demo/bb")];
  const observed = observedFrom([ab, bb, objectOf("Repository", "demo/b")], "uid");
  expect(observed.keyed("Snapshot", letters, "a")).toEqual([ab]);
  expect(observed.keyed("Snapshot", letters, "b")).toEqual([ab, bb]);
  expect(observed.keyed("Snapshot", letters, "c")).toEqual([]);
  expect(asked).toBe(2);
});

test("an index of a kind is made once", () => {
  let made = 0;
  const count = (objects: readonly KubeObject[]) => {
    made += 1;
    return objects.length;
  };
  const observed = observedFrom([objectOf("Snapshot", "demo/a"), objectOf("Repository", "demo/b")], "uid");
  expect([observed.indexed("Snapshot", count), observed.indexed("Snapshot", count)]).toEqual([1, 1]);
  expect(observed.indexed("BackupSession", count)).toBe(0);
  expect(made).toBe(2);
});

/** How often a plan reads the specs of so many BackupConfigurations, each with a run and a Repository, its own or one for all. */
function readsOf(count: number, repositoryOf = (n: number) => `repo-${n}`): number {
  let reads = 0;
  const watched = (object: KubeObject): KubeObject => {
    const { spec, ...rest } = object as KubeObject & { readonly spec: unknown };
    return Object.defineProperty(rest as KubeObject, "spec", {
      enumerable: true,
      get() {
        reads += 1;
        return spec;
      },
    });
  };
  const objects = Array.from({ length: count }, (_, n) => [
    objectOf("BackupConfiguration", `demo/app-${n}`, {
      metadata: { finalizers: ["kubestash.com/cleanup"] },
      spec: {
        backends: [{ name: "main", storageRef: { name: "store" }, retentionPolicy: { name: "keep" } }],
        sessions: [
          {
            name: "daily",
            scheduler: { schedule: "0 0 * * *", jobTemplate: {} },
            repositories: [
              {
                name: repositoryOf(n),
                backend: "main",
                directory: `/${repositoryOf(n)}`,
                encryptionSecret: { name: "key" },
              },
            ],
            addon: { name: "kubedump-addon", tasks: [{ name: "manifest-backup" }] },
          },
        ],
      },
    }),
    objectOf("Repository", `demo/other-${n}`, {
      spec: { storageRef: { name: "store" }, path: `/other/${n}`, appRef: { name: "na" } },
    }),
    objectOf("BackupSession", `demo/run-${n}`, {
      spec: { invoker: { kind: "BackupConfiguration", name: `app-${n}` }, session: "daily" },
    }),
  ]);
  const { steps } = planPass(worldOf(objectOf("Namespace", "demo"), ...objects.flat().map(watched)));
  expect(steps.filter((step) => step.kind === "apply").length).toBeGreaterThanOrEqual(count);
  return reads;
}

test("what a plan reads grows with the number of objects, and not with its square", () => {
  const [few, many] = [readsOf(20), readsOf(40)];
  expect(many).toBe(2 * few);
});

test("so does what it reads when all share one Repository that is not there yet", () => {
  const shared = () => "shared";
  const [few, more, many] = [20, 40, 60].map((count) => readsOf(count, shared)) as [number, number, number];
  expect(many - more).toBe(more - few);
});
