import type { Json, JsonObject } from "../base/json.ts";
import { byPriority } from "./crd/definitions.ts";
import { noSuchPath } from "./failure.ts";
import type { Kind, Kinds, Subresource } from "./kinds.ts";

/** `/api`, `/apis` and what lies directly below them. */

function versionsOf(kinds: readonly Kind[], group: string): readonly string[] {
  const versions = new Set(kinds.filter((kind) => kind.group === group).map((kind) => kind.version));
  return [...versions].sort(byPriority);
}

function groupsOf(kinds: readonly Kind[]): readonly string[] {
  return [...new Set(kinds.map((kind) => kind.group))].filter((group) => group !== "");
}

/** `APIVersions` of the core group. */
export function coreVersions(address: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
  };
}

function groupObject(kinds: readonly Kind[], name: string): JsonObject {
  const versions = versionsOf(kinds, name).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] ?? {} };
}

/** `APIGroupList`. */
export function groupList(kinds: Kinds): JsonObject {
  const all = kinds.all;
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groupsOf(all).map((name) => groupObject(all, name)),
  };
}

/** `APIGroup`. */
export function oneGroup(kinds: Kinds, name: string): JsonObject {
  if (!groupsOf(kinds.all).includes(name)) throw noSuchPath();
  return { kind: "APIGroup", apiVersion: "v1", ...groupObject(kinds.all, name) };
}

/** `APIResourceList` of a group's version. */
export function resourceList(kinds: Kinds, group: string, version: string): JsonObject {
  const found = kinds.all.filter((kind) => kind.group === group && kind.version === version);
  if (found.length === 0) throw noSuchPath();
  const resources: Json[] = [];
  for (const kind of found) {
    resources.push({
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: kind.verbs,
      ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
      ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    });
    for (const sub of kind.subresources) resources.push(legacySubresource(kind, sub));
  }
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources,
  };
}

function legacySubresource(kind: Kind, sub: Subresource): JsonObject {
  const other = sub.group !== kind.group || sub.version !== kind.version;
  return {
    name: `${kind.plural}/${sub.name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...(other ? { group: sub.group, version: sub.version } : {}),
    kind: sub.kind,
    verbs: sub.verbs,
  };
}

/** `APIGroupDiscoveryList`: everything of the core group, or of all the others, in one answer. */
export function aggregated(kinds: Kinds, core: boolean): JsonObject {
  const all = kinds.all;
  const groups = core ? [""] : groupsOf(all);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versionsOf(all, group).map((version) => ({
        version,
        resources: all
          .filter((kind) => kind.group === group && kind.version === version)
          .map((kind) => aggregatedResource(kind)),
        freshness: "Current",
      })),
    })),
  };
}

function aggregatedResource(kind: Kind): JsonObject {
  const scope = kind.namespaced ? "Namespaced" : "Cluster";
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope,
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.subresources.length === 0
      ? {}
      : {
          subresources: kind.subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
            verbs: sub.verbs,
          })),
        }),
  };
}
