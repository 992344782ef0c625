import { describe, expect, it, test } from "vitest";
import { parseFlags } from "../../../src/mover/job-flags.ts";
import { filterWarnings, type Surroundings } from "../../../src/mover/manifests/filter-warnings.ts";
import { filterFlags, filterOf } from "../../../src/mover/manifests/manifest-filter.ts";

type Flags = Readonly<Record<string, string>>;

function filter(flags: Flags) {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return filterOf(parseFlags("kubedump-backup", args, filterFlags));
}

const deployments = {
  group: "apps",
  plural: "deployments",
  kind: "Deployment",
  shortNames: ["deploy"],
  namespaced: true,
};
const roles = { group: "rbac.authorization.k8s.io", plural: "clusterroles", namespaced: false };
const nodes = {
  group: "",
  plural: "nodes",
  namespaced: false,
  never: "objects of this type are never saved",
};
const near: Surroundings = {
  where: "in this cluster",
  types: [deployments, roles, nodes],
  mayHide: (name) => name.endsWith(".metrics.k8s.io"),
  namespaces: new Set(["shop", "vault"]),
};

describe("a name that chooses nothing is told with the one that is meant", () => {
  it.each<readonly [flags: Flags, warnings: readonly string[]]>([
    [{}, []],
    [{ "include-resources": "*", "include-namespaces": "*" }, []],
    [{ "include-resources": "deployments", "exclude-namespaces": "vault" }, []],
    [{ "include-resources": "deployments.apps", "exclude-resources": "nodes" }, []],
    [{ "include-resources": "pods.metrics.k8s.io" }, []],
    [
      { "include-resources": "Deployment" },
      [
        "IncludeResources names deployment, and there is no such resource in this cluster; write deployments.apps if that is meant",
      ],
    ],
    [
      { "exclude-resources": "deploy,deploymets" },
      [
        "ExcludeResources names deploy, and there is no such resource in this cluster; write deployments.apps if that is meant",
        "ExcludeResources names deploymets, and there is no such resource in this cluster; write deployments if that is meant",
      ],
    ],
    [
      { "include-resources": "deployments.v1.apps,widgets.example.com" },
      [
        "IncludeResources names deployments.v1.apps, and there is no such resource in this cluster; write deployments.apps if that is meant",
        "IncludeResources names widgets.example.com, and there is no such resource in this cluster",
      ],
    ],
    [
      { "include-resources": "nodes", "include-cluster-resources": "true" },
      ["IncludeResources names nodes, and objects of this type are never saved"],
    ],
    [
      { "include-resources": "clusterroles" },
      [
        "IncludeResources names clusterroles, which has no namespace, and IncludeClusterResources is not true",
      ],
    ],
    [{ "include-resources": "clusterroles", "include-cluster-resources": "true" }, []],
    [
      { "include-namespaces": "shopp", "exclude-namespaces": "other" },
      [
        "there is no namespace shopp in this cluster; write shop if that is meant",
        "there is no namespace other in this cluster",
      ],
    ],
  ])("%j", (flags, warnings) => {
    expect(filterWarnings(filter(flags), near)).toEqual(warnings);
  });
});

test("namespaces that nobody may list are not warned of", () => {
  const blind = { ...near, namespaces: undefined };
  expect(filterWarnings(filter({ "include-namespaces": "shopp" }), blind)).toEqual([]);
});

test("what is left out may be looked for further around", () => {
  const narrow = { ...near, types: [], namespaces: new Set(["shop"]) };
  const flags = { "exclude-resources": "deployments", "exclude-namespaces": "vault" };
  expect(filterWarnings(filter(flags), narrow, near)).toEqual([]);
  expect(filterWarnings(filter(flags), narrow)).toHaveLength(2);
});
