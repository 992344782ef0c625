import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { keyOf, refOf } from "../../../src/api/meta.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import type { Plan } from "../../../src/pass/plan/step.ts";
import { changed, kubestashObject } from "../../fixtures/kubestash/kubestash-objects.ts";
import { now, objectOf, worldOf } from "./world-of.ts";

/** As the API server answers it. */
function live(object: KubeObject): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, uid: `uid-of-${object.metadata.name}`, resourceVersion: "1" },
  };
}

function statusOf(plan: Plan, kind: string) {
  const step = plan.steps.find((one) => one.kind === "status" && one.ref.kind === kind);
  return step?.kind === "status" ? step.status : undefined;
}

const said = (plan: Plan) => plan.problems.map(({ object, reason, next }) => `${reason} ${object}: ${next}`);

test.each([
  ["HookTemplate/quiesce", "shop/quiesce"],
  ["BackupBlueprint/standard", "vault/standard"],
  ["BackupBatch/shop", "shop/shop"],
  ["BackupVerifier/weekly", "vault/weekly"],
  ["BackupVerificationSession/shop-web-repo-hourly-1754041620", "shop/shop-web-repo-hourly-1754041620"],
])("a plan names %s that somebody applied, with what to do instead", (fixture, name) => {
  const object = live(kubestashObject(fixture));
  const [problem, ...more] = said(planPass(worldOf(object)));
  expect(more).toEqual([]);
  expect(problem).toMatch(new RegExp(`^NotSupportedYet ${object.kind} ${name}: [A-Z].*\\.$`));
});

describe("the status of what this release does not act on says so", () => {
  test("for a BackupBatch, which is never Ready", () => {
    const plan = planPass(worldOf(live(kubestashObject("BackupBatch/shop"))));
    expect(statusOf(plan, "BackupBatch")).toMatchObject({
      phase: "NotReady",
      conditions: [
        {
          type: "NotSupportedYet",
          status: "True",
          message:
            "BackupBatch is a kind that this release does not act on. Declare a BackupConfiguration for each target.",
        },
      ],
    });
  });

  test("for a BackupVerificationSession, which is Skipped", () => {
    const fixture = kubestashObject("BackupVerificationSession/shop-web-repo-hourly-1754041620");
    expect(statusOf(planPass(worldOf(live(fixture))), "BackupVerificationSession")).toMatchObject({
      phase: "Skipped",
      conditions: [{ type: "NotSupportedYet" }, { type: "BackupVerificationSkipped" }],
    });
  });

  test("for hooks and verifiers that a BackupConfiguration names, until it names them no more", () => {
    const shopWeb = live(kubestashObject("BackupConfiguration/shop-web"));
    const path = ["spec", "sessions", 0];
    const both = changed(
      changed(shopWeb, [...path, "repositories", 0, "backupVerifier"], { name: "weekly" }),
      ["metadata", "finalizers"],
      ["kubestash.com/cleanup"],
    );
    const status = statusOf(planPass(worldOf(both)), "BackupConfiguration");
    const conditions = status?.["conditions"] as readonly { type: string; message: string }[];
    const [condition] = conditions.filter(({ type }) => type === "NotSupportedYet");
    expect(condition?.message).toContain("spec.sessions[0].hooks.postBackup[0]: tell is not run");
    expect(condition?.message).toContain(
      "spec.sessions[0].repositories[0].backupVerifier: backupVerifier is not used",
    );
    const plain = changed(changed(both, [...path, "hooks"], undefined), ["status"], { conditions });
    const without = changed(plain, [...path, "repositories", 0, "backupVerifier"], undefined);
    const after = statusOf(planPass(worldOf(without)), "BackupConfiguration")?.["conditions"];
    expect(after).not.toContainEqual(expect.objectContaining({ type: "NotSupportedYet" }));
  });
});

test("what is declared is named once: by its file and line, when it is read", () => {
  const object = live(kubestashObject("BackupBatch/shop"));
  const world = worldOf(object);
  const wanted = { object, place: { path: "shop.yaml", line: 1 }, digest: "" };
  const objects = new Map([[keyOf(refOf(object)), wanted]]);
  const plan = planPass({ ...world, desired: { ...world.desired, objects } });
  expect(said(plan).filter((one) => one.startsWith("NotSupportedYet"))).toEqual([]);
});

test("a workload that asks for a blueprint by annotation is named", () => {
  const annotations = {
    "blueprint.kubestash.com/name": "standard",
    "blueprint.kubestash.com/namespace": "vault",
  };
  const web = { ...objectOf("Deployment", "shop/web", { metadata: { annotations } }), apiVersion: "apps/v1" };
  const { problems, steps } = planPass(worldOf(web));
  expect(steps).toEqual([]);
  expect(problems).toEqual([
    expect.objectContaining({
      severity: "warning",
      object: "Deployment shop/web",
      message: expect.stringContaining("BackupBlueprint vault/standard"),
    }),
  ]);
  expect(planPass({ ...worldOf(objectOf("Deployment", "shop/web")), now }).problems).toEqual([]);
});
