import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../../src/api/meta.ts";
import { stateMap } from "../../../src/api/own-notes.ts";
import { createManifestWriter } from "../../../src/mover/manifests/manifest-writer.ts";
import { createMissingParts } from "../../../src/mover/manifests/missing-parts.ts";
import { reasonToSkip } from "../../../src/mover/manifests/restore-rules.ts";

let tree: string;

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "holdfast-made-"));
});
afterEach(async () => {
  await rm(tree, { recursive: true });
});

function managed(type: Resource, by: string): KubeObject {
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { namespace: "shop", name: "one", labels: { "app.kubernetes.io/managed-by": by } },
  };
}

const ofJobs = [
  builtIn.ServiceAccount,
  builtIn.Role,
  builtIn.RoleBinding,
  builtIn.Job,
  builtIn.CronJob,
  builtIn.Pod,
];

it("leaves what Holdfast makes for its Jobs out of a dump, without calling it missing", async () => {
  const missing = createMissingParts();
  const { write } = createManifestWriter(tree, missing);
  for (const type of ofJobs) {
    expect(write(type, managed(type, "holdfast"))).toBe(false);
    expect(write(type, managed(type, "Helm"))).toBe(true);
  }
  // What Holdfast applies for a person is that person's.
  expect(write(builtIn.ConfigMap, managed(builtIn.ConfigMap, "holdfast"))).toBe(true);
  const note = stateMap({ cluster: "lab", namespace: "holdfast" }, {});
  expect(write(builtIn.ConfigMap, note)).toBe(false);
  expect(missing.list()).toEqual([]);
  expect(await readdir(tree)).toHaveLength(ofJobs.length + 1);
});

it("does not bring it back from a dump that holds it", () => {
  const options = { restorePVs: false };
  for (const type of ofJobs) {
    expect(reasonToSkip(managed(type, "holdfast"), options)).toBe("Holdfast makes it for its Jobs");
    expect(reasonToSkip(managed(type, "Helm"), options)).toBeUndefined();
  }
});
