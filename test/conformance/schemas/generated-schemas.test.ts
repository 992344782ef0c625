import { readdirSync, readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { beforeAll, expect, test } from "vitest";
import { defaultObject } from "../../../src/api/defaults.ts";
import { pathText } from "../../../src/api/field-error.ts";
import { definitionOf, findKind, type KindName } from "../../../src/api/kinds.ts";
import { apiVersionOf, type KubeObject } from "../../../src/api/meta.ts";
import { kubestashObject, kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";
import { refusedObjects } from "../../fixtures/kubestash/refused-objects.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeServers, type Server } from "../kube/servers.ts";

const crdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const crds = objectsIn("crds");
const servers = kubeServers();

servers("the generated schemas", (server) => {
  beforeAll(() => install(server()));

  test("every CRD is structural, accepted and served", async () => {
    for (const crd of crds) {
      const { body } = await server().raw.request("GET", `${crdPath}/${crd.metadata.name}`);
      const conditions: { type: string; status: string; message?: string }[] = body.status.conditions;
      expect(conditions.find((one) => one.type === "NonStructuralSchema")).toBeUndefined();
      expect(conditions.find((one) => one.type === "NamesAccepted")?.status).toBe("True");
    }
  });

  test("the catalogue is accepted as it is written", async () => {
    for (const object of objectsIn("catalogue")) {
      const applied = await apply(server(), pathOf(object, server().namespace), object);
      expect(applied.spec).toEqual(object["spec"]);
    }
  });

  test("every fixture is accepted strictly, and gets the defaults that defaultObject gives it", async () => {
    for (const fixture of kubestashObjects().values()) {
      const object = placed(fixture, server().namespace);
      const applied = await apply(server(), pathOf(object, server().namespace), object);
      expect(applied.spec).toEqual(defaultObject(object)["spec"]);
    }
  });

  test.each(refusedObjects())("refuses $title", async ({ object, path, reason }) => {
    const own = placed(object, server().namespace, "refused");
    const query = { fieldValidation: "Strict", dryRun: "All" };
    const collection = pathOf(own, server().namespace).replace(/\/[^/]+$/, "");
    const { status, body } = await server().raw.request("POST", collection, { query, body: own });
    expect([400, 422]).toContain(status);
    expect(body.message).toContain(pathText(reason === "Required" ? path.slice(0, -1) : path));
    expect(body.message).toContain(String(path.at(-1)));
  });
});

servers("the status of our kinds", (server) => {
  beforeAll(() => install(server()));

  test("status is a subresource of its own", async () => {
    const object = placed(
      kubestashObject("BackupSession/shop-web-hourly-1754041620"),
      server().namespace,
      "sub",
    );
    const path = pathOf(object, server().namespace);
    await apply(server(), path, { ...object, status: { phase: "Succeeded" } });
    const before = await server().raw.request("GET", path);
    expect(before.body.status).toBeUndefined();
    await server().raw.request("PATCH", `${path}/status`, {
      contentType: "application/merge-patch+json",
      body: { status: { phase: "Running" } },
    });
    const after = await server().raw.request("GET", path);
    expect(after.body.status).toEqual({ phase: "Running" });
    expect(after.body.metadata.generation).toBe(before.body.metadata.generation);
  });

  test("two movers apply their own components and take nothing from each other or from the operator", async () => {
    const fixture = kubestashObject("Snapshot/shop-web-repo-shop-web-hourly-1754041620");
    const object = placed(fixture, server().namespace, "two-movers");
    const path = pathOf(object, server().namespace);
    await apply(server(), path, object);
    await server().raw.request("PATCH", `${path}/status`, {
      contentType: "application/merge-patch+json",
      body: { status: { totalComponents: 2 } },
    });
    for (const name of ["dump-pod-0", "dump-pod-1"]) {
      const { apiVersion, kind, metadata } = object;
      const status = { components: { [name]: { phase: "Succeeded", proof } } };
      const applied = { apiVersion, kind, metadata: { name: metadata.name }, status };
      await apply(server(), `${path}/status`, applied, name);
    }
    const { body } = await server().raw.request("GET", path);
    expect(body.status).toEqual({
      totalComponents: 2,
      components: {
        "dump-pod-0": { phase: "Succeeded", proof },
        "dump-pod-1": { phase: "Succeeded", proof },
      },
    });
  });

  test("conditions are told apart by their type", async () => {
    const object = placed(kubestashObject("RestoreSession/web-back"), server().namespace, "conditions");
    const path = pathOf(object, server().namespace);
    await apply(server(), path, object);
    const condition = { status: "True", lastTransitionTime: "2026-01-31T12:00:00Z" };
    const conditions = [
      { type: "ValidationPassed", ...condition },
      { type: "ValidationPassed", ...condition },
    ];
    const { status, body } = await server().raw.request("PATCH", `${path}/status`, {
      contentType: "application/merge-patch+json",
      body: { status: { conditions } },
    });
    expect(status).toBe(422);
    expect(body.message).toContain("status.conditions[1]");
  });
});

const proof = {
  repositoryID: "8c1a",
  resticVersion: "0.19.1",
  snapshots: [{ id: "6f1c", tree: "77ab", hostPath: "/data", files: 3, directories: 1, bytes: 4096 }],
  files: 3,
  bytes: 4096,
};

function objectsIn(folder: string): readonly KubeObject[] {
  const directory = new URL(`../../../schemas/${folder}/`, import.meta.url);
  return readdirSync(directory)
    .sort()
    .flatMap((name) => loadAll(readFileSync(new URL(name, directory), "utf8")) as KubeObject[]);
}

/** The object in the namespace of the file that runs; references in it need nothing to exist. */
function placed(object: KubeObject, namespace: string, suffix?: string): KubeObject {
  const namespaced = findKind(object)?.resource.namespaced === true;
  const name = suffix === undefined ? object.metadata.name : `${object.metadata.name}-${suffix}`;
  const { namespace: _own, finalizers: _finalizers, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, name, ...(namespaced ? { namespace } : {}) } };
}

function pathOf(object: KubeObject, namespace: string): string {
  const { resource } = definitionOf(object.kind as KindName);
  const place = resource.namespaced ? `/namespaces/${namespace}` : "";
  return `/apis/${apiVersionOf(resource)}${place}/${resource.plural}/${object.metadata.name}`;
}

/** Applies strictly and answers the object as it is then. */
async function apply(server: Server, path: string, object: unknown, fieldManager = "nouns") {
  const { status, body } = await server.raw.request("PATCH", path, {
    query: { fieldManager, force: "true", fieldValidation: "Strict" },
    contentType: "application/apply-patch+yaml",
    body: object,
  });
  if (status !== 200 && status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

async function install(server: Server): Promise<void> {
  for (const crd of crds) await apply(server, `${crdPath}/${crd.metadata.name}`, crd);
  await Promise.all(crds.map((crd) => established(server, crd.metadata.name)));
}

async function established(server: Server, name: string): Promise<void> {
  await eventually(async () => {
    const { body } = await server.raw.request("GET", `${crdPath}/${name}`);
    const conditions: { type: string; status: string }[] = body.status?.conditions ?? [];
    if (!conditions.some((one) => one.type === "Established" && one.status === "True"))
      throw new Error(`${name} is not established`);
  });
}
