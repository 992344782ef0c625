import { describe, expect, it, test } from "vitest";
import { pathText } from "../../../src/api/field-error.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObject } from "../../fixtures/kubestash/kubestash-objects.ts";

const session = ["spec", "sessions", 0];
const shop = { kind: "Namespace", name: "shop" };
const web = { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "shop" };
const claim = { kind: "PersistentVolumeClaim", name: "data" };

function errorsOf(object: KubeObject): readonly string[] {
  return validateObject(object)
    .filter((error) => error.severity === "error")
    .map((error) => `${pathText(error.path)}: ${error.message}`);
}

function backup(target: object | undefined, params: Readonly<Record<string, string>>): readonly string[] {
  const configuration = changed(kubestashObject("BackupConfiguration/cluster"), ["spec", "target"], target);
  return errorsOf(changed(configuration, [...session, "addon", "tasks", 0, "params"], params));
}

describe("a backup by kubedump-addon", () => {
  const at = "spec.sessions[0].addon.tasks[0].params";
  it.each([
    ["the whole cluster", undefined, { IncludeClusterResources: "true", IncludeNamespaces: "a" }, []],
    ["a Namespace", shop, {}, []],
    ["a Namespace that the lists name", shop, { IncludeNamespaces: "shop,b", ExcludeNamespaces: "c" }, []],
    ["a Namespace among all", shop, { IncludeNamespaces: "*", IncludeClusterResources: "false" }, []],
    ["a workload", web, { IncludeResources: "deployments.apps,secrets", ANDedLabelSelectors: "app" }, []],
    ["a claim", claim, {}, ["spec.target: a PersistentVolumeClaim is no target of kubedump-addon"]],
    [
      "a Namespace and objects without one",
      shop,
      { IncludeClusterResources: "true" },
      [
        `${at}.IncludeClusterResources: asks for objects without a namespace, and the target is in namespace shop`,
      ],
    ],
    [
      "a Namespace that the list of namespaces does not name",
      shop,
      { IncludeNamespaces: "vault" },
      [`${at}.IncludeNamespaces: does not name shop, the namespace of the target`],
    ],
    [
      "a workload in a namespace that is left out",
      web,
      { ExcludeNamespaces: "a,shop" },
      [`${at}.ExcludeNamespaces: leaves out shop, the namespace of the target`],
    ],
    [
      "a Namespace and a value that cannot be read",
      shop,
      { IncludeClusterResources: "yes" },
      [`${at}.IncludeClusterResources: "yes" is neither true nor false`],
    ],
  ] as const)("of %s", (_name, target, params, errors) => {
    expect(backup(target, params)).toEqual(errors);
  });
});

test("a restore by kubedump-addon is held to the same targets", () => {
  const bare = changed(kubestashObject("RestoreSession/web-back"), ["spec", "manifestOptions"], undefined);
  const tasks = [{ name: "manifest-restore", params: { IncludeNamespaces: "vault" } }];
  const restore = changed(bare, ["spec", "addon"], { name: "kubedump-addon", tasks });
  expect(errorsOf(changed(restore, ["spec", "target"], undefined))).toEqual([]);
  expect(errorsOf(changed(restore, ["spec", "target"], { kind: "Namespace", name: "vault" }))).toEqual([]);
  expect(errorsOf(changed(restore, ["spec", "target"], shop))).toEqual([
    "spec.addon.tasks[0].params.IncludeNamespaces: does not name shop, the namespace of the target",
  ]);
  expect(errorsOf(changed(restore, ["spec", "target"], claim))).toEqual([
    "spec.target: a PersistentVolumeClaim is no target of kubedump-addon",
  ]);
});

test("the manifests of one workload need a workload as the target", () => {
  const given = (target: object | undefined) => {
    const configuration = changed(kubestashObject("BackupConfiguration/cluster"), ["spec", "target"], target);
    const addon = { name: "workload-addon", tasks: [{ name: "manifest-backup" }] };
    return errorsOf(changed(configuration, [...session, "addon"], addon));
  };
  expect(given(web)).toEqual([]);
  expect(given(undefined)).toEqual([
    "spec.target: target is missing, and the task manifest-backup of workload-addon saves a workload",
  ]);
  expect(given(shop)).toEqual([
    "spec.target: a Namespace has no workload for the task manifest-backup of workload-addon",
  ]);
});
