import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { pathText } from "../../../src/api/field-error.ts";
import { filterParams, restoreParams } from "../../../src/api/manifest-params.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObject } from "../../fixtures/kubestash/kubestash-objects.ts";

const params = { ...filterParams, ...restoreParams };

describe("what a text means", () => {
  it.each([
    ["clusterResources", "", false],
    ["clusterResources", "True", true],
    ["override", "0", false],
    ["includeNamespaces", "", undefined],
    ["includeNamespaces", " * ", undefined],
    ["includeNamespaces", "shop,*", undefined],
    ["includeNamespaces", "shop, vault,,shop", new Set(["shop", "vault"])],
    ["excludeNamespaces", "*", new Set()],
    ["excludeNamespaces", "shop,*", new Set(["shop"])],
    ["includeResources", "*", undefined],
    ["includeResources", "Deployments.apps,secrets", new Set(["deployments.apps", "secrets"])],
    ["excludeResources", "*,pods", new Set(["pods"])],
    ["storageClasses", "", new Map()],
    [
      "storageClasses",
      "gp2=standard, io1 = fast",
      new Map([
        ["gp2", "standard"],
        ["io1", "fast"],
      ]),
    ],
  ] as const)("%s %j", (name, text, value) => {
    expect(params[name].read(text)).toEqual({ ok: true, value });
  });
});

describe("what is refused", () => {
  it.each([
    ["restorePVs", "yes", '"yes" is neither true nor false'],
    ["clusterResources", " true", '" true" is neither true nor false'],
    ["includeNamespaces", "Shop", '"Shop" is no name of a namespace'],
    ["includeNamespaces", "shop;vault", '"shop;vault" is no name of a namespace'],
    ["includeNamespaces", "*,shop vault", '"shop vault" is no name of a namespace'],
    ["excludeNamespaces", "kube-*", '"kube-*" is no name of a namespace'],
    ["includeResources", "apps/deployments", '"apps/deployments" is no name of a resource'],
    ["excludeResources", "*.apps", '"*.apps" is no name of a resource'],
    ["storageClasses", "gp2", '"gp2" is not of the form old=new'],
    ["storageClasses", "gp2:standard", '"gp2:standard" is not of the form old=new'],
    ["storageClasses", "gp2=a=b", '"gp2=a=b" is not of the form old=new'],
    ["storageClasses", "gp2=Standard", '"Standard" is no name of a storage class'],
    ["storageClasses", "a=b,a=c", '"a" is mapped twice'],
  ] as const)("%s %j", (name, text, message) => {
    const read = params[name].read(text);
    expect(read).toMatchObject({ ok: false, message });
    expect(read.ok ? "" : read.next).toMatch(/^(Write|Map) /);
  });
});

const cluster = kubestashObject("BackupConfiguration/cluster");
const webBack = changed(kubestashObject("RestoreSession/web-back"), ["spec", "manifestOptions"], undefined);

function errorsOf(object: KubeObject): readonly string[] {
  return validateObject(object)
    .filter((error) => error.severity === "error")
    .map((error) => `${pathText(error.path)}: ${error.message}`);
}

const taskPath = ["spec", "sessions", 0, "addon", "tasks", 0];

test("a declaration whose parameters the Job would refuse is refused with the field", () => {
  const given = (params: Readonly<Record<string, string>>) =>
    changed(cluster, [...taskPath, "params"], params);
  const at = "spec.sessions[0].addon.tasks[0].params";
  expect(errorsOf(given({ IncludeNamespaces: "shop", ANDedLabelSelectors: "app in (a,b),!x" }))).toEqual([]);
  expect(errorsOf(given({ ANDedLabelSelectors: "a b" }))).toEqual([
    `${at}.ANDedLabelSelectors: "a b" at character 1: "a b" is no key of a label`,
  ]);
  expect(errorsOf(given({ enableCache: "on" }))).toEqual([
    `${at}.enableCache: "on" is neither true nor false`,
  ]);
  const restore = changed(webBack, ["spec", "addon"], {
    name: "kubedump-addon",
    tasks: [
      {
        name: "manifest-restore",
        params: { OverrideResources: "yes", StorageClassMappings: "gp2" },
        variables: [{ name: "RestorePVs", value: "no" }],
      },
    ],
  });
  expect(errorsOf(restore)).toEqual([
    'spec.addon.tasks[0].params.OverrideResources: "yes" is neither true nor false',
    'spec.addon.tasks[0].params.StorageClassMappings: "gp2" is not of the form old=new',
    'spec.addon.tasks[0].variables[0].value: "no" is neither true nor false',
  ]);
});

test("parameters of an addon of somebody else are not ours to read", () => {
  const addon = { name: "dump-addon", tasks: [{ name: "x", params: { RestorePVs: "of course" } }] };
  expect(errorsOf(changed(webBack, ["spec", "addon"], addon))).toEqual([]);
});

const runs = Math.max(20_000, Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) * 40);
const timeout = 10_000 + runs;
const pieces = [
  "a",
  "shop",
  "deployments.apps",
  "*",
  ",",
  " ",
  "=",
  ".",
  "-",
  "true",
  "T",
  "A",
  "/",
  "\n",
  "é",
  "😀",
  "\u0000",
  "a".repeat(63),
  "a.".repeat(130),
];
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 16 }).map((some) => some.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
);

test("every parameter reads or refuses every text, with words and a remedy", { timeout }, () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(params)), anyText, ({ read }, text) => {
      const value = read(text);
      return value.ok || (value.message !== "" && value.message.length < 1000 && value.next !== "");
    }),
    { numRuns: runs, ...(runs > 20_000 ? {} : { seed: 5 }) },
  );
});
