import { expect, test } from "vitest";
import { restoreEndsIn } from "../../../src/shells/restore-ends.ts";

type Results = Parameters<typeof restoreEndsIn>[0]["outcome"]["results"];

const results = {
  created: 1,
  objects: [{ type: "configmaps", did: "created", count: 1, names: ["shop/a"] }],
};

function told(kind: string, phase: string): Results[number] {
  const ref = { apiVersion: "core.kubestash.com/v1alpha1", kind, namespace: "shop", name: "back" };
  const status = { phase, components: { manifest: { phase, results }, dump: { phase } } };
  return { step: { kind: "status", ref, resourceVersion: "1", status, because: "" }, result: "configured" };
}

test("a restore that ended tells the results of every component that has some", () => {
  const outcome = {
    results: [
      told("RestoreSession", "Running"),
      told("BackupSession", "Failed"),
      told("RestoreSession", "Failed"),
    ],
    problems: [],
  };
  expect(restoreEndsIn({ outcome })).toEqual([
    { object: "RestoreSession shop/back", phase: "Failed", results: { manifest: results } },
  ]);
});
