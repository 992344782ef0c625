import { beforeAll, expect, it } from "vitest";
import type { DiscoveredResource, Discovery } from "../../../src/ports/kube/kube.ts";
import { eventually } from "../../support/eventually.ts";
import { path } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";
import { installWidgets } from "./widgets.ts";

const onEveryServer = kubeServers();

type Named = { readonly name: string };

const find = (from: Discovery, group: string, plural: string): readonly DiscoveredResource[] =>
  from.resources.filter((resource) => resource.group === group && resource.plural === plural);

onEveryServer("discovery", (server) => {
  let discovery: Discovery;
  beforeAll(async () => {
    discovery = await server().kube.discover();
  });

  it.each([
    ["", "v1", "configmaps", "ConfigMap", true, ["cm"]],
    ["", "v1", "secrets", "Secret", true, []],
    ["", "v1", "namespaces", "Namespace", false, ["ns"]],
    ["", "v1", "pods", "Pod", true, ["po"]],
    ["", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, ["pvc"]],
    ["apps", "v1", "deployments", "Deployment", true, ["deploy"]],
    ["apps", "v1", "statefulsets", "StatefulSet", true, ["sts"]],
    ["apps", "v1", "daemonsets", "DaemonSet", true, ["ds"]],
    ["batch", "v1", "jobs", "Job", true, []],
    ["batch", "v1", "cronjobs", "CronJob", true, ["cj"]],
    ["rbac.authorization.k8s.io", "v1", "roles", "Role", true, []],
    ["rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false, []],
    ["storage.k8s.io", "v1", "storageclasses", "StorageClass", false, ["sc"]],
    ["coordination.k8s.io", "v1", "leases", "Lease", true, []],
    [
      "apiextensions.k8s.io",
      "v1",
      "customresourcedefinitions",
      "CustomResourceDefinition",
      false,
      ["crd", "crds"],
    ],
  ] as const)("finds %s/%s %s", (...row) => {
    const [group, version, plural, kind, namespaced, shortNames] = row;
    const [resource] = find(discovery, group, plural);
    expect(resource).toMatchObject({ group, version, plural, kind, namespaced, shortNames, preferred: true });
    const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    if (plural === "namespaces") verbs.splice(2, 1);
    expect(resource?.verbs.toSorted()).toEqual(verbs);
  });

  it("finds no subresources and no failures", () => {
    expect(discovery.failures).toEqual([]);
    expect(discovery.resources.filter(({ plural }) => plural.includes("/"))).toEqual([]);
  });

  it("finds a new kind soon after its CRD", async () => {
    const { resource } = await installWidgets(server(), "found");
    const found = await eventually(async () => {
      const [first] = find(await server().kube.discover(), resource.group, "widgets");
      expect(first).toBeDefined();
      return first;
    });
    expect(found).toMatchObject({ ...resource, shortNames: ["wd"], preferred: true });
  });
});

onEveryServer("discovery for older clients", (server) => {
  it("gives older clients the same, one request per group version", async () => {
    const { raw } = server();
    const core = await raw.request("GET", "/api");
    expect(core.body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    const groups = await raw.request("GET", "/apis");
    expect(groups.body).toMatchObject({ kind: "APIGroupList", apiVersion: "v1" });
    const apps = groups.body.groups.find((group: Named) => group.name === "apps");
    expect(apps).toMatchObject({
      versions: [{ groupVersion: "apps/v1", version: "v1" }],
      preferredVersion: { groupVersion: "apps/v1", version: "v1" },
    });
    const one = await raw.request("GET", "/apis/apps");
    expect(one.body).toMatchObject({ kind: "APIGroup", name: "apps" });
    const list = await raw.request("GET", "/apis/apps/v1");
    expect(list.body).toMatchObject({ kind: "APIResourceList", groupVersion: "apps/v1" });
    const names = list.body.resources.map((resource: Named) => resource.name);
    expect(names).toEqual(expect.arrayContaining(["deployments", "deployments/status", "deployments/scale"]));
    expect(list.body.resources.find((resource: Named) => resource.name === "deployments")).toMatchObject({
      singularName: "deployment",
      namespaced: true,
      kind: "Deployment",
      shortNames: ["deploy"],
      categories: ["all"],
    });
  });

  it("tells its version and its health", async () => {
    const { raw } = server();
    const version = await raw.request("GET", "/version");
    expect(version.body).toMatchObject({ major: "1", minor: expect.stringMatching(/^\d+\+?$/) });
    expect(version.body.gitVersion).toMatch(/^v1\.\d+/);
    for (const probe of ["/healthz", "/readyz", "/livez"]) {
      expect(await raw.request("GET", probe)).toMatchObject({ status: 200, body: "ok" });
    }
  });
});

onEveryServer("who may ask", (server) => {
  it("refuses a token that it does not know with 401", async () => {
    const { raw, namespace } = server();
    const answer = await raw.request("GET", path.configMaps(namespace), { token: "made-up" });
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ kind: "Status", reason: "Unauthorized", code: 401 });
  });

  it("lets nobody without a token read objects", async () => {
    const { raw, namespace } = server();
    const { status, body } = await raw.request("GET", path.secrets(namespace), { token: "" });
    expect([401, 403]).toContain(status);
    expect(["Unauthorized", "Forbidden"]).toContain(body.reason);
  });

  it("answers who I am", async () => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const place = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const answer = await server().raw.request("POST", place, { body });
    expect(answer.status).toBe(201);
    expect(answer.body.status.userInfo.groups).toContain("system:masters");
  });

  it("answers whether I may", async () => {
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "list", resource: "secrets" } },
    };
    const place = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const answer = await server().raw.request("POST", place, { body });
    expect(answer).toMatchObject({ status: 201, body: { status: { allowed: true } } });
  });
});
