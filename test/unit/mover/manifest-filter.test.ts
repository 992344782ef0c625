import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { parseFlags } from "../../../src/mover/job-flags.ts";
import {
  filterFlags,
  filterOf,
  mayTakeGroup,
  takesLabels,
  takesPlace,
  takesType,
} from "../../../src/mover/manifests/manifest-filter.ts";

function filter(flags: Readonly<Record<string, string>> = {}) {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return filterOf(parseFlags("kubedump-backup", args, filterFlags));
}

const deployments = { group: "apps", plural: "deployments" };
const configMaps = { group: "", plural: "configmaps" };
const podMetrics = { group: "metrics.k8s.io", plural: "pods" };
const pods = { group: "", plural: "pods" };

describe("types", () => {
  const table = [
    ["everything passes without lists", {}, deployments, true],
    ["* includes everything", { "include-resources": "*" }, deployments, true],
    ["* beside names includes everything", { "include-resources": "secrets,*" }, deployments, true],
    ["a full name is included", { "include-resources": "deployments.apps" }, deployments, true],
    ["a short name is included", { "include-resources": "deployments" }, deployments, true],
    ["what is not listed is dropped", { "include-resources": "secrets" }, deployments, false],
    ["names are read without regard to case", { "include-resources": "Deployments.apps" }, deployments, true],
    [
      "blanks around names do not matter",
      { "include-resources": " secrets , deployments.apps " },
      deployments,
      true,
    ],
    ["a full name is excluded", { "exclude-resources": "deployments.apps" }, deployments, false],
    [
      "a short name is excluded though nothing is included",
      { "exclude-resources": "deployments" },
      deployments,
      false,
    ],
    ["a core type has no suffix", { "exclude-resources": "configmaps" }, configMaps, false],
    [
      "exclude beats include",
      { "include-resources": "deployments.apps", "exclude-resources": "deployments" },
      deployments,
      false,
    ],
    ["* in an exclude list is ignored", { "exclude-resources": "*" }, deployments, true],
    ["a short name stands for every group that has it", { "include-resources": "pods" }, podMetrics, true],
    ["a full name stands for its own group", { "exclude-resources": "pods.metrics.k8s.io" }, pods, true],
    [
      "another group of the same name is another type",
      { "include-resources": "pods.metrics.k8s.io" },
      pods,
      false,
    ],
  ] as const;
  it.each(table)("%s", (_name, flags, type, taken) => {
    expect(takesType(filter(flags), type)).toBe(taken);
  });

  it("cares for a broken group only when it may hold a wanted type", () => {
    expect(mayTakeGroup(filter(), "metrics.k8s.io")).toBe(true);
    expect(mayTakeGroup(filter({ "include-resources": "deployments.apps" }), "metrics.k8s.io")).toBe(false);
    expect(mayTakeGroup(filter({ "include-resources": "pods" }), "metrics.k8s.io")).toBe(true);
    expect(mayTakeGroup(filter({ "include-resources": "pods.metrics.k8s.io" }), "metrics.k8s.io")).toBe(true);
  });
});

describe("places", () => {
  const table = [
    ["namespaced objects pass without lists", {}, "shop", true],
    ["* means every namespace", { "include-namespaces": "*" }, "shop", true],
    ["a listed namespace passes", { "include-namespaces": "shop,vault" }, "shop", true],
    ["another one does not", { "include-namespaces": "vault" }, "shop", false],
    ["an excluded one is dropped", { "exclude-namespaces": "shop" }, "shop", false],
    ["exclude beats include", { "include-namespaces": "shop", "exclude-namespaces": "shop" }, "shop", false],
    ["cluster-scoped objects are out by default", {}, undefined, false],
    [
      "cluster-scoped objects are in when asked for",
      { "include-cluster-resources": "true" },
      undefined,
      true,
    ],
    [
      "namespace lists say nothing about cluster-scoped objects",
      { "include-cluster-resources": "true", "include-namespaces": "shop" },
      undefined,
      true,
    ],
  ] as const;
  it.each(table)("%s", (_name, flags, namespace, taken) => {
    expect(takesPlace(filter(flags), namespace)).toBe(taken);
  });
});

describe("labels", () => {
  const labelled = (labels?: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", ...(labels === undefined ? {} : { labels }) },
  });
  const table = [
    ["no list takes an object without labels", {}, undefined, true],
    ["an object without labels fails a list of all", { "and-label-selectors": "app" }, undefined, false],
    ["an object without labels fails a list of any", { "or-label-selectors": "app" }, undefined, false],
    ["k:v", { "and-label-selectors": "app:web" }, { app: "web" }, true],
    ["k=v", { "and-label-selectors": "app=web" }, { app: "web" }, true],
    ["another value fails", { "and-label-selectors": "app=web" }, { app: "db" }, false],
    ["a bare key asks for the label only", { "and-label-selectors": "app" }, { app: "db" }, true],
    ["a label that differs is in none of the values", { "and-label-selectors": "app!=web" }, {}, true],
    ["a set of values", { "or-label-selectors": "app in (web,db),!tier" }, { app: "db", tier: "a" }, true],
    ["an empty value is a value", { "and-label-selectors": "app=" }, { app: "db" }, false],
    ["all must match", { "and-label-selectors": "app=web,tier=a" }, { app: "web", tier: "b" }, false],
    ["one is enough", { "or-label-selectors": "app=web,tier=a" }, { app: "web", tier: "b" }, true],
    ["none is not enough", { "or-label-selectors": "app=web,tier=a" }, { app: "db" }, false],
    [
      "both lists must pass",
      { "and-label-selectors": "app=web", "or-label-selectors": "tier=a" },
      { app: "web", tier: "b" },
      false,
    ],
    [
      "keys may have a prefix",
      { "and-label-selectors": "example.com/app:web" },
      { "example.com/app": "web" },
      true,
    ],
  ] as const;
  it.each(table)("%s", (_name, flags, labels, taken) => {
    expect(takesLabels(filter(flags), labelled(labels))).toBe(taken);
  });
});

it.each([
  [
    { "and-label-selectors": "app in (web" },
    /--and-label-selectors \(ANDedLabelSelectors\): .* is not closed/,
  ],
  [{ "or-label-selectors": "a b" }, /--or-label-selectors \(ORedLabelSelectors\): "a b" at character 1/],
  [{ "include-cluster-resources": "yes" }, /\(IncludeClusterResources\): "yes" is neither true nor false/],
  [{ "include-namespaces": "shop-*" }, /\(IncludeNamespaces\): "shop-\*" is no name of a namespace/],
])("refuses %j by name", (flags, message) => {
  expect(() => filter(flags)).toThrow(message);
});
