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
    (object) => [keyOf(refOf(object)), { object, place: { path: "s.yaml", line: 1 }, digest: "" }] as const,
  );
  const desired = { ...world.desired, objects: new Map(declared) };
  const { steps, problems } = planDeclaredObjects({ ...world, desired });
  return {
    applied: steps.flatMap((step) => (step.kind === "apply" ? [step.object.metadata.name] : [])),
    refused: problems.map(({ reason, place }) => `${reason} ${place?.path}`),
  };
}

test("a BackupStorage whose Repositories lie in it is not moved away from them", () => {
  const moved = storage("store", "other");
  const refused = { applied: [], refused: ["Immutable s.yaml"] };
  expect(planned([moved], storage("store", "lab", true))).toEqual(refused);
  expect(planned([storage("store", "lab")], storage("store", "lab", true)).refused).toEqual([]);
});

test("a BackupStorage whose place never answered may be corrected", () => {
  const answer = planned([storage("store", "lab")], storage("store", "lap", false));
  expect(answer).toEqual({ applied: ["store"], refused: [] });
});

test("no second BackupStorage gets the place of another one, whose data a wipe would take", () => {
  const there = storage("store", "lab", true);
  const both = [storage("store", "lab"), storage("copy", "lab/")];
  expect(planned(both, there).refused).toEqual(["Conflict s.yaml"]);
  expect(planned([storage("copy", "lab/")], there)).toEqual({ applied: [], refused: ["Conflict s.yaml"] });
  expect(planned([storage("copy", "copy")], there)).toEqual({ applied: ["copy"], refused: [] });
});
