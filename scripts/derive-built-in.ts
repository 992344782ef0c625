/**
 * Derives what the embedded cluster knows of the built-in kinds from a running API server: resources,
 * schemas (structure and keys, no descriptions) and the columns of `kubectl get`.
 *
 *     KUBE_SERVER=https://127.0.0.1:6443 KUBE_TOKEN=… KUBE_CA=ca.crt node scripts/derive-built-in.ts
 *
 * The token must be an administrator's. Writes src/embedded/built-in/{resources,definitions,columns}.json.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import type { Json, JsonObject } from "../src/base/json.ts";

const groups = [
  "",
  "apps",
  "batch",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "coordination.k8s.io",
  "apiextensions.k8s.io",
  "events.k8s.io",
  "networking.k8s.io",
  "policy",
  "scheduling.k8s.io",
  "discovery.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
];
const target = new URL("../src/embedded/built-in/", import.meta.url);
const refPrefix = "#/components/schemas/";
// Nothing behind them: nodes' parts of the control plane, scheduling by hand, cluster addresses.
const leftOut = new Set([
  "/componentstatuses",
  "/bindings",
  "networking.k8s.io/ipaddresses",
  "networking.k8s.io/servicecidrs",
]);
const keptKeys = new Set([
  "type",
  "format",
  "default",
  "enum",
  "required",
  "oneOf",
  "x-kubernetes-group-version-kind",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-merge-key",
  "x-kubernetes-patch-strategy",
]);

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    process.stderr.write(`derive-built-in: set ${name} (see the comment in this script)\n`);
    process.exit(2);
  }
  return value;
}

const server = environment("KUBE_SERVER");
const token = environment("KUBE_TOKEN");
const ca = readFileSync(environment("KUBE_CA"));

function get(path: string, accept = "application/json"): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, server),
      { ca, headers: { authorization: `Bearer ${token}`, accept }, timeout: 30_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (response.statusCode === 200) resolve(objectOf(JSON.parse(text)));
          else reject(new Error(`GET ${path}: ${String(response.statusCode)} ${text.slice(0, 200)}`));
        });
      },
    );
    call.on("error", reject);
    call.on("timeout", () => call.destroy(new Error(`GET ${path}: no answer in 30 s`)));
    call.end();
  });
}

function objectOf(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not an object");
  return value as JsonObject;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Structure and keys of a schema; references become the bare name of the definition. */
function compact(schema: JsonObject, refs: Set<string>): JsonObject {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") out["$ref"] = reference(String(value), refs);
    else if (key === "allOf") {
      const only = objectOf(listOf(value)[0]);
      out["$ref"] = reference(String(only["$ref"]), refs);
    } else if (key === "properties") {
      const properties: Record<string, Json> = {};
      for (const [name, property] of Object.entries(objectOf(value))) {
        properties[name] = compact(objectOf(property), refs);
      }
      out[key] = properties;
    } else if (key === "items" || key === "additionalProperties") out[key] = compact(objectOf(value), refs);
    else if (keptKeys.has(key)) out[key] = value;
  }
  // A definition that serves dozens of kinds (DeleteOptions) names them all; the resources say it better.
  if (listOf(out["x-kubernetes-group-version-kind"]).length > 1)
    delete out["x-kubernetes-group-version-kind"];
  return out;
}

function reference(ref: string, refs: Set<string>): string {
  const name = ref.startsWith(refPrefix) ? ref.slice(refPrefix.length) : ref;
  refs.add(name);
  return name;
}

type Kind = { readonly group: string; readonly version: string; readonly kind: string };

async function discover(): Promise<{ resources: Json[]; kinds: Kind[] }> {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const lists = [await get("/api", accept), await get("/apis", accept)];
  const resources: Json[] = [];
  const kinds: Kind[] = [];
  for (const item of lists.flatMap((list) => listOf(list["items"])).map(objectOf)) {
    const group = String(objectOf(item["metadata"])["name"] ?? "");
    if (!groups.includes(group)) continue;
    for (const version of listOf(item["versions"]).map(objectOf)) {
      const gv = { group, version: String(version["version"]) };
      for (const resource of listOf(version["resources"]).map(objectOf)) {
        if (leftOut.has(`${group}/${String(resource["resource"])}`)) continue;
        const kind = String(objectOf(resource["responseKind"])["kind"]);
        kinds.push({ ...gv, kind });
        resources.push({ ...gv, ...resourceOf(resource, kind) });
      }
    }
  }
  return { resources, kinds };
}

function resourceOf(resource: JsonObject, kind: string): JsonObject {
  const out: Record<string, Json> = {
    kind,
    plural: String(resource["resource"]),
    singular: String(resource["singularResource"]),
    namespaced: resource["scope"] === "Namespaced",
    verbs: listOf(resource["verbs"]),
  };
  for (const key of ["shortNames", "categories"]) {
    const value = resource[key];
    if (value !== undefined) out[key] = value;
  }
  const subresources: Record<string, Json> = {};
  for (const sub of listOf(resource["subresources"]).map(objectOf)) {
    const response = objectOf(sub["responseKind"]);
    subresources[String(sub["subresource"])] = {
      group: String(response["group"]),
      version: String(response["version"]),
      kind: String(response["kind"]),
      verbs: listOf(sub["verbs"]),
    };
  }
  if (Object.keys(subresources).length > 0) out["subresources"] = subresources;
  return out;
}

async function definitions(kinds: readonly Kind[]): Promise<Record<string, Json>> {
  const all = new Map<string, JsonObject>();
  for (const gv of new Set(kinds.map((kind) => `${kind.group}/${kind.version}`))) {
    const path = gv.startsWith("/") ? `api${gv}` : `apis/${gv}`;
    const document = await get(`/openapi/v3/${path}`);
    const schemas = objectOf(objectOf(document["components"])["schemas"]);
    for (const [name, schema] of Object.entries(schemas)) all.set(name, objectOf(schema));
  }
  const wanted = new Set(kinds.map((kind) => `${kind.group}/${kind.version}/${kind.kind}`));
  const refs = new Set<string>();
  for (const [name, schema] of all) {
    for (const gvk of listOf(schema["x-kubernetes-group-version-kind"]).map(objectOf)) {
      const id = `${String(gvk["group"])}/${String(gvk["version"])}/${String(gvk["kind"])}`;
      if (wanted.has(id)) refs.add(name);
    }
  }
  const out = new Map<string, Json>();
  for (const name of refs) {
    const schema = all.get(name);
    if (schema === undefined) throw new Error(`schema ${name} is referred to and missing`);
    out.set(name, compact(schema, refs));
  }
  return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Columns as the server itself heads them: name, type, format and priority (not 0 only with -o wide). */
async function columns(resources: readonly Json[]): Promise<JsonObject> {
  const out: Record<string, Json> = {};
  for (const resource of resources.map(objectOf)) {
    if (!listOf(resource["verbs"]).includes("list")) continue;
    const group = String(resource["group"]);
    const prefix = group === "" ? "/api" : `/apis/${group}`;
    const plural = String(resource["plural"]);
    const table = await get(
      `${prefix}/${String(resource["version"])}/${plural}?limit=1`,
      "application/json;as=Table;v=v1;g=meta.k8s.io",
    );
    out[`${group}/${plural}`] = listOf(table["columnDefinitions"])
      .map(objectOf)
      .map(({ name, type, format, priority }) => ({
        name: name ?? "",
        type: type ?? "string",
        format: format ?? "",
        priority: priority ?? 0,
      }));
  }
  return out;
}

const { resources, kinds } = await discover();
const { gitVersion, major, minor } = await get("/version");

/** One line per entry, so that a diff shows which kinds a new Kubernetes changed. */
function write(name: string, value: JsonObject | readonly Json[]): void {
  const lines = Array.isArray(value)
    ? value.map((item) => JSON.stringify(item))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  writeFileSync(new URL(name, target), `${open}\n${lines.join(",\n")}\n${close}\n`);
}

write("version.json", { major: major ?? "", minor: minor ?? "", gitVersion: gitVersion ?? "" });
write("resources.json", resources);
write("definitions.json", await definitions(kinds));
write("columns.json", await columns(resources));
