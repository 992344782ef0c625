import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { type DecideOptions, decide } from "../../../src/mover/manifests/decide.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";

type Fields = Readonly<Record<string, unknown>>;

const options: DecideOptions = { filter: everything, restorePVs: false, storageClasses: new Map() };
const verbs = ["create", "get", "list"];
const served = (type: string, kind: string, group = "", version = "v1") => ({
  type,
  group,
  version,
  kind,
  plural: type.split(".")[0] ?? "",
  namespaced: true,
  verbs: type === "bindings" ? ["list"] : verbs,
  shortNames: [],
  preferred: true,
});
const known = new Map([
  ["configmaps", served("configmaps", "ConfigMap")],
  ["bindings", served("bindings", "Binding")],
  ["pods", served("pods", "Pod")],
  ["nodes", served("nodes", "Node")],
  ["events.events.k8s.io", served("events.events.k8s.io", "Event", "events.k8s.io")],
  ["cronjobs.batch", served("cronjobs.batch", "CronJob", "batch", "v2")],
]);
const types = { find: (type: string) => known.get(type), broken: () => undefined };
const object = (kind: string, fields: Fields = {}, apiVersion = "v1"): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: "a", namespace: "shop", labels: { app: "x" } },
  ...fields,
});
const shop = (type: string) => ({ type, namespace: "shop" });

it("sends an object in the version that the cluster serves, with its owners beside it", () => {
  const owners = [{ apiVersion: "v1", kind: "ConfigMap", name: "b", uid: "u" }];
  const dumped = object("CronJob", {}, "batch/v1beta1");
  const decision = decide(
    shop("cronjobs.batch"),
    { ...dumped, metadata: { ...dumped.metadata, ownerReferences: owners } },
    options,
    types,
  );
  expect(decision).toMatchObject({
    send: { apiVersion: "batch/v2", kind: "CronJob" },
    owners,
    ownVersion: false,
  });
  expect(JSON.stringify("send" in decision && decision.send)).not.toContain("ownerReferences");
});

const filtered = {
  namespace: { ...everything, excludeNamespaces: new Set(["shop"]) },
  label: { ...everything, allOf: [{ key: "other", operator: "Exists" as const }] },
  type: { ...everything, excludeResources: new Set(["configmaps"]) },
};
const skipped: readonly (readonly [string, string, KubeObject, Partial<DecideOptions>, string])[] = [
  ["of a type that is never restored", "nodes", object("Node"), {}, "never restored"],
  [
    "of a type that never is, whatever its group",
    "events.events.k8s.io",
    object("Event"),
    {},
    "never restored",
  ],
  [
    "whose type the filter excludes",
    "configmaps",
    object("ConfigMap"),
    { filter: filtered.type },
    "its type",
  ],
  [
    "in a namespace that it excludes",
    "configmaps",
    object("ConfigMap"),
    { filter: filtered.namespace },
    "filter",
  ],
  ["without a label that it wants", "configmaps", object("ConfigMap"), { filter: filtered.label }, "filter"],
  ["that had ended", "pods", object("Pod", { status: { phase: "Succeeded" } }), {}, "had ended"],
  ["that nobody can create", "bindings", object("Binding"), {}, "nobody can create"],
];

it.each(skipped)("leaves out an object %s, and says why", (...row) => {
  const [, type, dumped, changed, why] = row;
  const decision = decide(shop(type), dumped, { ...options, ...changed }, types);
  expect(decision).toEqual({ skip: expect.stringContaining(why) });
});

it("names an API that does not say what it serves, before it takes another version for the file's", () => {
  const broken = () => ({ groupVersion: "batch/v1beta1", message: "no answer" });
  expect(() =>
    decide(shop("cronjobs.batch"), object("CronJob", {}, "batch/v1beta1"), options, { ...types, broken }),
  ).toThrow("the API batch/v1beta1 does not say what it serves: no answer");
});

it("names a type that the cluster does not serve, and a folder that holds another type", () => {
  expect(() => decide(shop("widgets.example.com"), object("Widget"), options, types)).toThrow(
    "this cluster serves no widgets.example.com",
  );
  expect(() => decide(shop("pods"), object("ConfigMap"), options, types)).toThrow(
    "a ConfigMap of v1 lies in the folder pods",
  );
});
