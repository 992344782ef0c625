import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { allowWipeOut, hasConsent } from "../../../src/pass/plan/deletion.ts";
import { planBackupConfiguration } from "../../../src/pass/plan/kinds/backup-configuration.ts";
import { objectOf, worldOf } from "./world-of.ts";

/** A BackupConfiguration with the consent in its annotations, written there by a field manager. */
function configuration(manager: string): KubeObject {
  return objectOf("BackupConfiguration", "shop/web", {
    metadata: {
      annotations: { [allowWipeOut]: "web" },
      finalizers: ["kubestash.com/cleanup"],
      managedFields: [
        {
          manager,
          operation: "Apply",
          fieldsV1: { "f:metadata": { "f:annotations": { [`f:${allowWipeOut}`]: {} } } },
        },
      ],
    },
    spec: {
      backends: [
        {
          name: "main",
          storageRef: { name: "store", namespace: "vault" },
          retentionPolicy: { name: "keep", namespace: "vault" },
        },
      ],
      target: { apiGroup: "apps", kind: "Deployment", name: "web" },
      sessions: [
        {
          name: "often",
          scheduler: { schedule: "0 2 * * *", jobTemplate: {} },
          addon: { name: "workload-addon", tasks: [{ name: "manifest-backup" }] },
          repositories: [
            {
              name: "web-repo",
              directory: "/web",
              deletionPolicy: "WipeOut",
              encryptionSecret: { name: "restic-key" },
            },
          ],
        },
      ],
    },
  });
}

function repositoryMadeFor(owner: KubeObject): KubeObject | undefined {
  const steps = planBackupConfiguration(owner, worldOf(owner)).steps;
  return steps.flatMap((step) =>
    step.kind === "apply" && step.object.kind === "Repository" ? [step.object] : [],
  )[0];
}

test("consent that Holdfast applied from Git is handed on to the Repository", () => {
  const declared = configuration("holdfast");
  expect(hasConsent(declared)).toBe(true);
  expect(repositoryMadeFor(declared)?.metadata.annotations).toEqual({ [allowWipeOut]: "web-repo" });
});

test("consent that somebody wrote by hand is not made Holdfast's own by handing it on", () => {
  const edited = configuration("kubectl-annotate");
  expect(hasConsent(edited)).toBe(false);
  const made = repositoryMadeFor(edited);
  expect(made?.spec).toMatchObject({ deletionPolicy: "WipeOut" });
  expect(made?.metadata.annotations).toBeUndefined();
});
