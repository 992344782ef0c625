import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { OwnerReference } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import { nameIn } from "./create-object.ts";
import { type DecideOptions, decide } from "./decide.ts";
import { fileNameOf, folderOfType, isSafeName } from "./manifest-tree.ts";
import { readManifest } from "./read-manifest.ts";
import type { Relink } from "./relink-owners.ts";
import type { ServedTypes } from "./served-types.ts";

export type OwnerSource = {
  readonly kube: Kube;
  readonly tree: string;
  readonly options: DecideOptions;
  readonly types: ServedTypes;
  readonly signal: AbortSignal;
};

/**
 * Finds owners by their file in the tree and then in the cluster, each once: nobody has to remember every object of
 * a restore, and a uid is that of the owner that is there now. A namespaced owner goes before a cluster-scoped one.
 */
export function createOwnerFinder(source: OwnerSource): Relink["findOwner"] {
  const asked = new Map<string, Promise<string | undefined>>();
  return async (owner, namespace) => {
    const key = JSON.stringify([owner.apiVersion, owner.kind, namespace, owner.name]);
    const known = asked.get(key) ?? findUid(source, owner, namespace);
    asked.set(key, known);
    // What was not answered is asked again.
    const uid = await known.catch((thrown: unknown) => {
      asked.delete(key);
      throw thrown;
    });
    return uid === undefined ? undefined : { ...owner, uid };
  };
}

async function findUid(
  source: OwnerSource,
  owner: OwnerReference,
  namespace: string | undefined,
): Promise<string | undefined> {
  if (!isSafeName(owner.name)) return undefined;
  for (const type of source.types.ofKind(owner.apiVersion, owner.kind)) {
    const home = type.namespaced ? namespace : undefined;
    if (type.namespaced && home === undefined) continue;
    const uid = await uidOf(source, { ...type, namespace: home, name: owner.name });
    if (uid !== undefined) return uid;
  }
  return undefined;
}

async function uidOf(
  { kube, tree, options, types, signal }: OwnerSource,
  {
    type,
    group,
    plural,
    namespace,
    name,
  }: {
    readonly type: string;
    readonly group: string;
    readonly plural: string;
    readonly namespace: string | undefined;
    readonly name: string;
  },
): Promise<string | undefined> {
  const file = join(tree, folderOfType({ group, plural }, namespace), fileNameOf(name));
  const place = { type, namespace, file };
  if ((await stat(file).catch(() => undefined)) === undefined) return undefined;
  try {
    const decision = decide(place, await readManifest(place), options, types);
    if ("skip" in decision) return undefined;
    const live = await kube.get(decision.resource, nameIn(decision.send), signal);
    return live?.metadata.deletionTimestamp === undefined ? live?.metadata.uid : undefined;
  } catch (thrown) {
    // What cannot be read was not restored either.
    if (thrown instanceof HoldfastError && !(thrown instanceof KubeError)) return undefined;
    throw thrown;
  }
}
