import { expect, test } from "vitest";
import { planPass } from "../../../src/pass/plan/plan.ts";
import { objectOf, worldOf } from "./world-of.ts";

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
