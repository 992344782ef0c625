import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { fileNameOf, folderOfType } from "../../../src/mover/manifests/manifest-tree.ts";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import { type RestoreManifests, restoreManifests } from "../../../src/mover/manifests/restore-manifests.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";

export type Dumped = readonly [resource: Pick<Resource, "group" | "plural">, object: KubeObject];

/** Restores objects from a tree that is made for it, and answers what became of each, by `type/name`. */
export async function restoring(
  kube: Kube,
  dumped: Iterable<Dumped>,
  options: Partial<RestoreManifests> = {},
): Promise<Readonly<Record<string, ObjectOutcome>>> {
  const root = await mkdtemp(join(tmpdir(), "holdfast-restore-"));
  try {
    for (const [resource, object] of dumped) await write(root, resource, object);
    const outcomes: Record<string, ObjectOutcome> = {};
    await restoreManifests({
      kube,
      clock: hurriedClock(),
      filter: everything,
      tree: root,
      override: false,
      prepare: { restorePVs: false, storageClasses: new Map() },
      log: () => {},
      signal: new AbortController().signal,
      onOutcome: (outcome) => {
        const key = `${outcome.type}/${outcome.name}`;
        if (key in outcomes) throw new Error(`${key} was told twice`);
        outcomes[key] = outcome;
      },
      ...options,
    });
    return outcomes;
  } finally {
    await rm(root, { recursive: true });
  }
}

async function write(root: string, resource: Dumped[0], object: KubeObject): Promise<void> {
  const folder = join(root, folderOfType(resource, object.metadata.namespace));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, fileNameOf(object.metadata.name)), JSON.stringify(object));
}
