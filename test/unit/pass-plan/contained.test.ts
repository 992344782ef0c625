import { expect, test } from "vitest";
import { type KubeObject, keyOf, refOf } from "../../../src/api/meta.ts";
import { outboxMap } from "../../../src/api/own-notes.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import type { World } from "../../../src/pass/plan/world.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

test("an object that cannot be planned is named, and the others are planned", () => {
  // An object of a server without our schema: its conditions are no list.
  const broken = objectOf("BackupStorage", "demo/broken", {
    spec: { storage: { provider: "local" } },
    status: { phase: "Ready", conditions: 7 },
  });
  const fine = objectOf("BackupStorage", "demo/fine", { spec: { storage: { provider: "azure" } } });
  const { steps, problems } = planPass(worldOf(broken, fine));
  expect(problems).toContainEqual(
    expect.objectContaining({
      severity: "error",
      reason: "PlanFailed",
      object: "BackupStorage demo/broken",
      message: expect.stringContaining("conditions") as unknown,
    }),
  );
  expect(steps.flatMap((step) => ("ref" in step ? [step.ref.name] : []))).toContain("fine");
});

/** What could not be planned, and the rest of the plan. */
function planned(world: World) {
  const { problems, ...plan } = planPass(world);
  const failed = problems.flatMap(({ reason, object }) => (reason === "PlanFailed" ? [object] : []));
  return { ...plan, failed };
}

function declaring(world: World, ...wanted: readonly KubeObject[]): World {
  const place = { path: "a.yaml", line: 1 };
  const objects = new Map(wanted.map((object) => [keyOf(refOf(object)), { object, place, digest: "" }]));
  return { ...world, desired: { ...world.desired, objects } };
}

const namespace = { ...objectOf("Namespace", "demo"), metadata: { name: "demo" } };
const hooks = objectOf("HookTemplate", "demo/hooks", { spec: {} });

test("a declared object is applied beside a neighbour that cannot be read", () => {
  const repositories = [{ name: "repo", encryptionSecret: { name: "key" } }];
  const wanted = objectOf("BackupConfiguration", "demo/wanted", {
    spec: { sessions: [{ name: "daily", repositories }] },
  });
  const sessions = [{ name: "daily", repositories }, 7];
  const unusual = objectOf("BackupConfiguration", "demo/neighbour", { spec: { sessions } });
  const { failed, steps } = planned(declaring(worldOf(namespace, unusual), wanted, hooks));
  expect(failed).not.toContain("BackupConfiguration demo/wanted");
  for (const object of [wanted, hooks])
    expect(steps).toContainEqual(expect.objectContaining({ kind: "apply", object }));
});

test.each([
  ["BackupStorage", { storage: { provider: "azure", azure: { container: "a" } } }],
  ["RetentionPolicy", { default: true }],
] as const)("a declared %s is applied beside one without a spec", (kind, spec) => {
  const wanted = objectOf(kind, "demo/wanted", { spec });
  const unusual = objectOf(kind, "demo/neighbour", {});
  const { failed, steps } = planned(declaring(worldOf(namespace, unusual), wanted));
  expect(failed).not.toContain(`${kind} demo/wanted`);
  expect(steps).toContainEqual(expect.objectContaining({ kind: "apply", object: wanted }));
});

test("a BackupConfiguration is planned beside Repositories and defaults that cannot be read", () => {
  const configuration = objectOf("BackupConfiguration", "demo/wanted", {
    metadata: { finalizers: ["kubestash.com/cleanup"] },
    spec: {
      backends: [{ name: "main" }],
      sessions: [
        {
          name: "daily",
          scheduler: { schedule: "0 0 * * *", jobTemplate: {} },
          repositories: [
            { name: "repo", backend: "main", directory: "/d", encryptionSecret: { name: "key" } },
          ],
          addon: { name: "kubedump-addon", tasks: [{ name: "manifest-backup" }] },
        },
      ],
    },
  });
  const unusual = [
    objectOf("Repository", "demo/none", {}),
    objectOf("Repository", "demo/odd", { spec: { storageRef: null, path: 7 } }),
    objectOf("BackupStorage", "demo/none", {}),
    objectOf("RetentionPolicy", "demo/none", {}),
  ];
  const { failed } = planned(worldOf(namespace, configuration, ...unusual));
  expect(failed).not.toContain("BackupConfiguration demo/wanted");
});

test("a neighbour that no schema has seen is compared as far as it can be read", () => {
  const repositories = [{ name: "repo", encryptionSecret: { name: "key" } }];
  const wanted = objectOf("BackupConfiguration", "demo/wanted", {
    spec: { sessions: [{ name: "daily", repositories }] },
  });
  const other = [7, { name: "repo", encryptionSecret: { name: "another" } }];
  const unusual = objectOf("BackupConfiguration", "demo/neighbour", {
    spec: { sessions: [{ repositories: other }, { repositories: 7 }] },
  });
  const { steps } = planned(declaring(worldOf(namespace, unusual), wanted));
  expect(steps).not.toContainEqual(expect.objectContaining({ kind: "apply", object: wanted }));
});

test("an object of which it cannot be told whether it is declared is left, and the others are pruned", () => {
  const orphan = (name: string, file: unknown) =>
    objectOf("HookTemplate", `demo/${name}`, {
      metadata: { annotations: { "holdfast.dev/declared-in": file as string } },
    });
  const world = worldOf(namespace, orphan("unusual", 7), orphan("gone", "lab/gone.yaml"));
  const { failed, steps } = planned(declaring(world, hooks));
  expect(failed).toEqual(["HookTemplate demo/unusual"]);
  expect(steps.flatMap((step) => (step.kind === "delete" ? [step.ref.name] : []))).toEqual(["gone"]);
});

test("an entry of the outbox that cannot be planned is named, and the others are written", () => {
  const place = { cluster: "lab", namespace: "holdfast" };
  const apiVersion = "core.kubestash.com/v1alpha1";
  const waiting = (name: string) => {
    const metadata = { namespace: "app", name, uid: `uid-of-${name}` };
    const record = {
      phase: "Succeeded",
      specDigest: "d",
      clusterUid: "u",
      holder: "h",
      claimedAt: "2026-11-20",
    };
    const content = { apiVersion, kind: "RestoreSession", metadata, spec: {}, record };
    return outboxMap(place, { path: `clusters/lab/restores/app/${name}.yaml`, content });
  };
  const world = worldOf(waiting("unusual"), waiting("back"));
  const claim = { phase: "Claimed", specDigest: "d", clusterUid: "u", uid: undefined, holder: "h" };
  const restore = (_namespace: string, name: string) => ({
    ...claim,
    claimedAtMs: name === "unusual" ? Number.NaN : now,
    status: {},
    commit: "c",
  });
  const { failed, entries } = planned({ ...world, recorded: { ...world.recorded, restore } });
  expect(failed).toEqual([expect.stringMatching(/^ConfigMap holdfast\/outbox-/)]);
  expect(entries.map(({ path }) => path)).toEqual(["clusters/lab/restores/app/back.yaml"]);
});

test("a parent whose phase cannot be read is named once, and entries of others leave the record", () => {
  const unusual = objectOf("Repository", "app/unusual", { spec: {}, status: { phase: { toString: 7 } } });
  const fine = objectOf("BackupConfiguration", "app/web", {
    spec: { sessions: [] },
    status: { phase: "Ready" },
  });
  const gone = "clusters/lab/sessions/app/web/2026/11/20/web-often-1.yaml";
  const world = worldOf(unusual, fine);
  const { failed, entries } = planned({ ...world, recorded: { ...world.recorded, paths: () => [gone] } });
  expect(failed).toContain("Repository app/unusual");
  expect(failed.filter((one) => one === "Repository app/unusual")).toHaveLength(1);
  expect(entries).toContainEqual(expect.objectContaining({ path: gone, content: undefined }));
});
