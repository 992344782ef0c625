import { apiVersionOf, groupOf, type KubeObject, type OwnerReference } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { DiscoveredResource, Discovery } from "../../ports/kube/kube.ts";
import {
  groupResourceOf,
  type ManifestFilter,
  takesLabels,
  takesPlace,
  takesType,
} from "./manifest-filter.ts";
import type { ManifestPlace } from "./manifest-tree.ts";
import { type PrepareOptions, prepareObject } from "./prepare-object.ts";
import { unreadable } from "./read-manifest.ts";
import { isNeverRestored, reasonToSkip } from "./restore-rules.ts";
import type { ServedType, ServedTypes } from "./served-types.ts";

export type DecideOptions = PrepareOptions & { readonly filter: ManifestFilter };

export type Decision =
  /** Why the object is left out. */
  | { readonly skip: string }
  | {
      readonly send: KubeObject;
      readonly resource: ServedType;
      /** False when the cluster serves another version of its type only. */
      readonly ownVersion: boolean;
      /** Those of the dump, with uids of the old cluster or none. */
      readonly owners: readonly OwnerReference[];
      readonly notes: readonly string[];
    };

type Where = Pick<ManifestPlace, "type" | "namespace">;

/** Why no object of a folder's type is restored, whatever is in its files. */
export function reasonToSkipType(type: string, filter: ManifestFilter): string | undefined {
  if (isNeverRestored(type)) return "objects of this type are never restored";
  return takesType(filter, groupResourceOf(type)) ? undefined : "the filter leaves its type out";
}

/**
 * What a restore does with one dumped object, before anything is asked of the cluster beside what it serves.
 * Throws `TypeNotServed` for a type that the cluster does not know, `ApiGroupBroken` when the server of
 * its group does not say what it serves, and `ManifestUnreadable` for an object that lies
 * in the folder of another type.
 */
export function decide(
  where: Where,
  dumped: KubeObject,
  options: DecideOptions,
  types: Pick<ServedTypes, "find" | "broken">,
): Decision {
  const left = reasonToSkipType(where.type, options.filter);
  if (left !== undefined) return { skip: left };
  if (!takesPlace(options.filter, where.namespace) || !takesLabels(options.filter, dumped)) {
    return { skip: "the filter leaves it out" };
  }
  const skip = reasonToSkip(dumped, options);
  if (skip !== undefined) return { skip };
  const resource = types.find(where.type, dumped.apiVersion);
  const broken = types.broken(where.type, dumped.apiVersion);
  if (broken !== undefined) throw brokenGroup(broken);
  if (resource === undefined) throw unknownType(where.type);
  if (!resource.verbs.includes("create")) return { skip: "nobody can create objects of its type here" };
  refuseOtherType(where.type, resource, dumped);
  const { object, owners, notes } = prepareObject({ ...dumped, apiVersion: apiVersionOf(resource) }, options);
  const ownVersion = object.apiVersion === dumped.apiVersion;
  return { send: object, resource, ownVersion, owners, notes };
}

/** The folder says the type; a file in the wrong one is not created as something else. */
function refuseOtherType(folder: string, type: DiscoveredResource, object: KubeObject): void {
  if (type.kind === object.kind && type.group === groupOf(object.apiVersion)) return;
  throw unreadable(`a ${object.kind} of ${object.apiVersion} lies in the folder ${folder}`);
}

function brokenGroup({ groupVersion, message }: Discovery["failures"][number]): HoldfastError {
  return new HoldfastError(
    "ApiGroupBroken",
    `the API ${groupVersion} does not say what it serves: ${message}`,
    {
      disposition: "retry",
      next: "Look at its APIService and at the pods behind it, and restore again.",
    },
  );
}

function unknownType(type: string): HoldfastError {
  return new HoldfastError("TypeNotServed", `this cluster serves no ${type}`, {
    disposition: "stall",
    next: "Install its CustomResourceDefinition, or restore with IncludeClusterResources.",
  });
}
