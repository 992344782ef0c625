import { expect, it } from "vitest";
import { type Asked, scriptedServer, sendJson, sendStatus } from "./scripted-server.ts";

const verbs = ["get", "list"];
const row = (name: string, kind: string, namespaced = true) => ({ name, kind, namespaced, verbs });

/** A server from before aggregated discovery, with one group that is broken. */
const legacy: Readonly<Record<string, unknown>> = {
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/api/v1": {
    resources: [
      row("pods", "Pod"),
      row("pods/log", "Pod"),
      { ...row("configmaps", "ConfigMap"), shortNames: ["cm"] },
    ],
  },
  "/apis": {
    kind: "APIGroupList",
    groups: [
      {
        name: "batch",
        versions: [{ version: "v1beta1" }, { version: "v1" }],
        preferredVersion: { version: "v1" },
      },
      { name: "metrics.example.com", versions: [{ version: "v1" }], preferredVersion: { version: "v1" } },
    ],
  },
  "/apis/batch/v1": { resources: [row("jobs", "Job")] },
  "/apis/batch/v1beta1": { resources: [row("jobs", "Job"), row("cronjobs", "CronJob")] },
};

it("asks group by group where the server has no aggregated discovery, and survives a broken one", async () => {
  const { kube, asked } = await scriptedServer((one: Asked, response) => {
    const answer = legacy[one.path];
    return answer === undefined
      ? sendStatus(response, 503, "ServiceUnavailable")
      : sendJson(response, answer);
  });
  const { resources, failures } = await kube.discover();
  const lines = resources.map((r) => `${r.group}/${r.version} ${r.plural}${r.preferred ? " preferred" : ""}`);
  expect(lines).toEqual([
    "/v1 pods preferred",
    "/v1 configmaps preferred",
    "batch/v1 jobs preferred",
    "batch/v1beta1 jobs",
    "batch/v1beta1 cronjobs preferred",
  ]);
  expect(resources[1]?.shortNames).toEqual(["cm"]);
  expect(failures).toEqual([
    { groupVersion: "metrics.example.com/v1", message: expect.stringContaining("503 ServiceUnavailable") },
  ]);
  expect(asked[0]?.headers.accept).toContain("as=APIGroupDiscoveryList");
});

it("names an aggregated API whose server is down, and keeps the rest", async () => {
  const group = (name: string, version: Record<string, unknown>) => ({
    metadata: { name },
    versions: [version],
  });
  const resource = { resource: "jobs", responseKind: { kind: "Job" }, scope: "Namespaced", verbs };
  const { kube } = await scriptedServer((one, response) => {
    const items =
      one.path === "/api"
        ? []
        : [
            group("batch", { version: "v1", freshness: "Current", resources: [resource] }),
            group("metrics.example.com", { version: "v1", freshness: "Stale", resources: [] }),
          ];
    sendJson(response, { kind: "APIGroupDiscoveryList", items });
  });
  const { resources, failures } = await kube.discover();
  expect(resources).toEqual([
    {
      group: "batch",
      version: "v1",
      kind: "Job",
      plural: "jobs",
      namespaced: true,
      verbs,
      shortNames: [],
      preferred: true,
    },
  ]);
  expect(failures).toMatchObject([{ groupVersion: "metrics.example.com/v1" }]);
});

it("keeps what an aggregated API served when it last answered, and marks it", async () => {
  const resources = [
    { resource: "nodes", responseKind: { kind: "NodeMetrics" }, scope: "Cluster", verbs: ["get", "list"] },
  ];
  const version = { version: "v1beta1", freshness: "Stale", resources };
  const { kube } = await scriptedServer((one, response) => {
    const items = one.path === "/api" ? [] : [{ metadata: { name: "metrics.k8s.io" }, versions: [version] }];
    sendJson(response, { kind: "APIGroupDiscoveryList", items });
  });
  const found = await kube.discover();
  expect(found.resources).toMatchObject([{ plural: "nodes", verbs: ["get", "list"], stale: true }]);
  expect(found.failures).toMatchObject([{ groupVersion: "metrics.k8s.io/v1beta1" }]);
});

it("does not take a refusal of everything for an empty cluster", async () => {
  const { kube } = await scriptedServer((_, response) => sendStatus(response, 403, "Forbidden"));
  await expect(kube.discover()).rejects.toMatchObject({ code: 403, reason: "Forbidden" });
});
