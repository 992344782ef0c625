import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { groupOf, type KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { nearestName } from "../../base/nearest-name.ts";
import type { WorkloadTarget } from "./dump-workload.ts";
import { groupResourceOf } from "./manifest-filter.ts";
import { fileNameOf, type ManifestPlace, walkTree } from "./manifest-tree.ts";
import { readManifest } from "./read-manifest.ts";
import { referencesOf, secretsOfAccount } from "./workload-references.ts";

/**
 * Leaves of a restored tree a workload and what its pods refer to, as a dump of it alone would have it.
 * `TargetNotInSnapshot` when the tree has no such workload.
 */
export async function keepWorkload(tree: string, target: WorkloadTarget): Promise<void> {
  const near: ManifestPlace[] = [];
  for await (const place of walkTree(tree)) {
    if (place.namespace === target.namespace) near.push(place);
    else await rm(place.file);
  }
  const { place, object } = await findWorkload(near, target);
  const kept = new Set([keyOf(place.type, target.name)]);
  const references = referencesOf(object);
  if (references !== undefined) {
    const accountKey = keyOf("serviceaccounts", references.serviceAccount);
    const account = near.find((one) => keyOfPlace(one) === accountKey);
    const secrets = account === undefined ? [] : secretsOfAccount(await readManifest(account));
    kept.add(accountKey);
    for (const name of references.configMaps) kept.add(keyOf("configmaps", name));
    for (const name of [...references.secrets, ...secrets]) kept.add(keyOf("secrets", name));
    for (const name of references.claims) kept.add(keyOf("persistentvolumeclaims", name));
  }
  for (const one of near) if (!kept.has(keyOfPlace(one))) await rm(one.file);
}

async function findWorkload(
  near: readonly ManifestPlace[],
  target: WorkloadTarget,
): Promise<{ readonly place: ManifestPlace; readonly object: KubeObject }> {
  const { apiGroup, kind, name } = target;
  const ofGroup = near.filter(({ type }) => groupResourceOf(type).group === apiGroup);
  for (const place of ofGroup) {
    if (basename(place.file) !== fileNameOf(name)) continue;
    const object = await readManifest(place);
    if (object.kind === kind && groupOf(object.apiVersion) === apiGroup) return { place, object };
  }
  const names = ofGroup.map(({ file }) => basename(file, ".yaml"));
  const nearest = nearestName(name, names);
  throw new HoldfastError(
    "TargetNotInSnapshot",
    `the snapshot holds no ${kind} ${target.namespace}/${name}, the target of the restore`,
    {
      disposition: "stall",
      next: `${nearest === undefined ? "Correct spec.target" : `Write ${nearest} if that is meant`}, or leave the target out and choose by the parameters.`,
    },
  );
}

function keyOf(type: string, name: string): string {
  return `${type}/${fileNameOf(name)}`;
}

function keyOfPlace({ type, file }: ManifestPlace): string {
  return `${type}/${basename(file)}`;
}
