import { expect, it } from "vitest";
import { configMap, deployment, path } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";
import { installWidgets } from "./widgets.ts";

const onEveryServer = kubeServers();

const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

type Column = { readonly name: string; readonly type: string; readonly priority: number };
type Table = {
  readonly kind: string;
  readonly metadata: { readonly resourceVersion?: string };
  readonly columnDefinitions: readonly Column[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: Record<string, unknown> }[];
};

async function table(server: Server, place: string, query: Record<string, string> = {}): Promise<Table> {
  const { status, body } = await server.raw.request("GET", place, { accept, query });
  expect(status).toBe(200);
  expect(body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
  return body;
}

const shown = ({ columnDefinitions }: Table) =>
  columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);

onEveryServer("tables", (server) => {
  it("shows objects as rows, with their metadata", async () => {
    const { raw, namespace } = server();
    const body = configMap(namespace, "tabled", { a: "1", b: "2" }, { labels: { table: "yes" } });
    await raw.request("POST", path.configMaps(namespace), { body });
    const list = await table(server(), path.configMaps(namespace), { labelSelector: "table=yes" });
    expect(shown(list)).toEqual(["Name", "Data", "Age"]);
    expect(list.metadata.resourceVersion).toMatch(/^\d+$/);
    expect(list.rows).toHaveLength(1);
    expect(list.rows[0]?.cells.slice(0, 2)).toEqual(["tabled", 2]);
    expect(list.rows[0]?.object).toMatchObject({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: { name: "tabled", namespace },
    });
    const one = await table(server(), path.configMaps(namespace, "tabled"), { includeObject: "Object" });
    expect(one.rows[0]?.object).toMatchObject({ kind: "ConfigMap", data: { a: "1", b: "2" } });
    const bare = await table(server(), path.configMaps(namespace, "tabled"), { includeObject: "None" });
    expect(bare.rows[0]?.object ?? null).toBeNull();
  });

  it.each([
    ["/api/v1/namespaces", ["Name", "Status", "Age"]],
    ["/api/v1/namespaces/default/secrets", ["Name", "Type", "Data", "Age"]],
    ["/api/v1/namespaces/default/pods", ["Name", "Ready", "Status", "Restarts", "Age"]],
    [
      "/api/v1/namespaces/default/persistentvolumeclaims",
      [
        "Name",
        "Status",
        "Volume",
        "Capacity",
        "Access Modes",
        "StorageClass",
        "VolumeAttributesClass",
        "Age",
      ],
    ],
    ["/apis/apps/v1/namespaces/default/deployments", ["Name", "Ready", "Up-to-date", "Available", "Age"]],
    ["/apis/apps/v1/namespaces/default/statefulsets", ["Name", "Ready", "Age"]],
    ["/apis/batch/v1/namespaces/default/jobs", ["Name", "Status", "Completions", "Duration", "Age"]],
    [
      "/apis/batch/v1/namespaces/default/cronjobs",
      ["Name", "Schedule", "Timezone", "Suspend", "Active", "Last Schedule", "Age"],
    ],
    ["/apis/coordination.k8s.io/v1/namespaces/default/leases", ["Name", "Holder", "Age"]],
  ])("has kubectl's columns for %s", async (place, columns) => {
    expect(shown(await table(server(), place))).toEqual(columns);
  });
});

onEveryServer("cells of tables", (server) => {
  it("fills in the cells of a deployment", async () => {
    const { raw, namespace } = server();
    const body = deployment(namespace, "rows", undefined, { replicas: 2, paused: true });
    await raw.request("POST", path.deployments(namespace), { body });
    const { rows } = await table(server(), path.deployments(namespace, "rows"));
    expect(rows[0]?.cells.slice(0, 4)).toEqual(["rows", "0/2", 0, 0]);
  });

  it("shows the columns that a CRD asks for", async () => {
    const { raw } = server();
    const { place, widget } = await installWidgets(server(), "tables");
    await raw.request("POST", place(), { body: widget("seen", { spec: { size: 7 } }) });
    const list = await table(server(), place());
    expect(list.columnDefinitions).toMatchObject([
      { name: "Name", type: "string", priority: 0 },
      { name: "Size", type: "integer", priority: 0 },
      { name: "Phase", type: "string", priority: 0 },
      { name: "Color", type: "string", priority: 1 },
      { name: "Age", type: "date", priority: 0 },
    ]);
    expect(list.rows[0]?.cells.slice(0, 4)).toEqual(["seen", 7, null, "red"]);
  });

  it("shows changes as rows too", async () => {
    const { raw, namespace } = server();
    const { body: list } = await raw.request("GET", path.configMaps(namespace));
    await raw.request("POST", path.configMaps(namespace), { body: configMap(namespace, "watched") });
    const answer = await raw.request("GET", path.configMaps(namespace), {
      accept,
      query: {
        watch: "true",
        timeoutSeconds: "1",
        resourceVersion: list.metadata.resourceVersion,
        fieldSelector: "metadata.name=watched",
      },
    });
    const event =
      typeof answer.body === "string" ? JSON.parse(answer.body.split("\n")[0] ?? "") : answer.body;
    expect(event).toMatchObject({
      type: "ADDED",
      object: { kind: "Table", rows: [{ cells: ["watched", 0, expect.anything()] }] },
    });
  });
});
