import { expect, it } from "vitest";
import { listsFor } from "../../../src/mover/manifests/lists-for.ts";
import {
  everything,
  groupResourceName,
  type ManifestFilter,
} from "../../../src/mover/manifests/manifest-filter.ts";
import type { DiscoveredResource } from "../../../src/ports/kube/kube.ts";

function typeOf(plural: string, fields: Partial<DiscoveredResource> = {}): DiscoveredResource {
  return {
    group: "",
    version: "v1",
    kind: plural,
    plural,
    namespaced: true,
    verbs: ["list", "create"],
    shortNames: [],
    preferred: true,
    ...fields,
  };
}

/** `configmaps`, `configmaps in shop`, `configmaps or 2 others` */
function shown(types: readonly DiscoveredResource[], filter: Partial<ManifestFilter>): readonly string[] {
  return listsFor(types, { ...everything, ...filter }).map(({ type, namespace, instead }) => {
    const where = namespace === undefined ? "" : ` in ${namespace}`;
    return `${groupResourceName(type)}${where}${instead.length === 0 ? "" : ` or ${instead.length} others`}`;
  });
}

const types = [
  typeOf("secrets"),
  typeOf("deployments", { group: "apps" }),
  typeOf("clusterroles", { group: "rbac.authorization.k8s.io", namespaced: false }),
];
const manyTypes = Array.from({ length: 70 }, (_, n) => typeOf(`type${n}s`));
const namespaces = (count: number) => new Set(Array.from({ length: count }, (_, n) => `n${n}`));

it("lists each type once when no namespace is named", () => {
  expect(shown(types, {})).toEqual(["clusterroles.rbac.authorization.k8s.io", "deployments.apps", "secrets"]);
  expect(shown(types, { clusterResources: false })).toEqual(["deployments.apps", "secrets"]);
});

it("lists namespaces that are named one by one, without those that are excluded", () => {
  const filter = {
    includeNamespaces: new Set(["shop", "blog", "old"]),
    excludeNamespaces: new Set(["old"]),
    includeResources: new Set(["secrets"]),
  };
  expect(shown(types, filter)).toEqual(["secrets in shop", "secrets in blog"]);
});

it("lists everywhere at once where one by one would be very many lists, if that is allowed", () => {
  expect(shown(manyTypes, { includeNamespaces: namespaces(7) })).toHaveLength(490);
  const many = shown(manyTypes, { includeNamespaces: namespaces(100) });
  expect(many).toHaveLength(70);
  expect(new Set(many.map((line) => line.replace(/^\S+/, "")))).toEqual(new Set([" or 100 others"]));
  const crowd = Array.from({ length: 600 }, (_, n) => typeOf(`type${n}s`));
  expect(shown(crowd, { includeNamespaces: namespaces(1) })).toHaveLength(600);
});

it.each([
  ["cannot be listed", { verbs: ["create"] }],
  ["cannot be created", { verbs: ["get", "list"] }],
  ["is served in a version that the server prefers", { preferred: false }],
  ["belongs to a server that does not answer", { stale: true as const }],
  ["is a node", { plural: "nodes", namespaced: false }],
  ["is made anew from other objects", { plural: "endpointslices", group: "discovery.k8s.io" }],
])("lists no type that %s", (_, fields) => {
  expect(shown([typeOf("things", fields)], {})).toEqual([]);
});
