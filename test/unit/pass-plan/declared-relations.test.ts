import { expect, test } from "vitest";
import { type KubeObject, keyOf, refOf } from "../../../src/api/meta.ts";
import { planDeclaredObjects } from "../../../src/pass/plan/declared-objects.ts";
import { objectOf, worldOf } from "./world-of.ts";

function storage(name: string, prefix: string, initialised?: boolean): KubeObject {
  const conditions = [{ type: "BackendInitialized", status: initialised ? "True" : "False" }];
  return objectOf("BackupStorage", `vault/${name}`, {
    spec: { storage: { provider: "s3", s3: { endpoint: "http://s3", bucket: "b", prefix } } },
    ...(initialised === undefined
      ? {}
      : { status: { conditions, repositories: [{ name: "web", namespace: "shop" }] } }),
  });
}

/** Names that are applied, and reasons of what is refused. */
function planned(wanted: readonly KubeObject[], ...there: readonly KubeObject[]) {
  const world = worldOf(objectOf("Namespace", "vault"), ...there);
  const declared = wanted.map(
    (object, index) =>
      [keyOf(refOf(object)), { object, place: { path: "s.yaml", line: index + 1 }, digest: "" }] as const,
  );
  const desired = { ...world.desired, objects: new Map(declared) };
  const { steps, problems } = planDeclaredObjects({ ...world, desired });
  return {
    applied: steps.flatMap((step) => (step.kind === "apply" ? [step.object.metadata.name] : [])),
    refused: problems.map(({ reason, place }) => `${reason} ${place?.path}`),
    messages: problems.map(({ message }) => message),
  };
}

test("a BackupStorage whose Repositories lie in it is not moved away from them", () => {
  const moved = storage("store", "other");
  const refused = { applied: [], refused: ["Immutable s.yaml"] };
  expect(planned([moved], storage("store", "lab", true))).toMatchObject(refused);
  expect(planned([storage("store", "lab")], storage("store", "lab", true)).refused).toEqual([]);
});

test("a BackupStorage whose place never answered may be corrected", () => {
  const answer = planned([storage("store", "lab")], storage("store", "lap", false));
  expect(answer).toMatchObject({ applied: ["store"], refused: [] });
});

test("no second BackupStorage gets the place of another one, whose data a wipe would take", () => {
  const there = storage("store", "lab", true);
  const both = [storage("store", "lab"), storage("copy", "lab/")];
  expect(planned(both, there).refused).toEqual(["Conflict s.yaml"]);
  expect(planned([storage("copy", "lab/")], there)).toMatchObject({
    applied: [],
    refused: ["Conflict s.yaml"],
  });
  expect(planned([storage("copy", "copy")], there)).toMatchObject({ applied: ["copy"], refused: [] });
});

test("a BackupStorage inside of another one's folder is refused, and so are two that are new, each with the other's file and line", () => {
  const inside = planned([storage("copy", "lab/copy")], storage("store", "lab", true));
  expect(inside.messages).toEqual(["spec.storage: lies inside of BackupStorage vault/store"]);
  const { applied, messages } = planned([storage("store", "lab"), storage("copy", "lab/copy")]);
  expect(applied).toEqual([]);
  expect(messages).toEqual([
    "spec.storage: lies around BackupStorage vault/copy (s.yaml:2)",
    "spec.storage: lies inside of BackupStorage vault/store (s.yaml:1)",
  ]);
});

test("a second default is refused, two new ones are both, and the default can be given to another in one commit", () => {
  const policy = (name: string, byDefault: boolean) =>
    objectOf("RetentionPolicy", `vault/${name}`, { spec: { maxRetentionPeriod: "1d", default: byDefault } });
  const there = policy("old", true);
  const second = planned([there, policy("new", true)], there);
  expect(second.applied).not.toContain("new");
  expect(second.messages).toEqual([
    "spec.default: RetentionPolicy old is the default of this namespace already (s.yaml:1)",
  ]);
  expect(planned([policy("a", true), policy("b", true)])).toMatchObject({ applied: [] });
  expect(planned([policy("old", false), policy("new", true)], there)).toMatchObject({ refused: [] });
});
