/**
 * Derives the numbers of the protobuf fields of the built-in kinds, because `kubectl create` sends
 * protobuf. The source are Kubernetes' published Go modules (Apache-2.0), unpacked by
 *
 *     go mod download k8s.io/api@v0.34.4 k8s.io/apimachinery@v0.34.4 k8s.io/apiextensions-apiserver@v0.34.4
 *     KUBE_MODULES="$(go env GOMODCACHE)/k8s.io" KUBE_MODULE_VERSION=v0.34.4 node scripts/derive-messages.ts
 *
 * Writes src/embedded/built-in/messages.json: message -> field number -> [name, type, flags]. Types are
 * proto's scalars or a message; flags: `r` repeated, `m` a map from string, `p` a pointer (its zero value is
 * said on purpose), `i` inlined into its parent in JSON.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const modules = process.env["KUBE_MODULES"] ?? "";
const version = process.env["KUBE_MODULE_VERSION"] ?? "";
if (modules === "" || version === "") {
  process.stderr.write(
    "derive-messages: set KUBE_MODULES and KUBE_MODULE_VERSION (see the comment in this script)\n",
  );
  process.exit(2);
}

const packages: readonly (readonly [proto: string, module: string, folder: string])[] = [
  ...[
    "core/v1",
    "apps/v1",
    "batch/v1",
    "rbac/v1",
    "storage/v1",
    "coordination/v1",
    "events/v1",
    "networking/v1",
    "policy/v1",
    "scheduling/v1",
    "discovery/v1",
    "authentication/v1",
    "authorization/v1",
    "autoscaling/v1",
  ].map((folder) => [`k8s.io.api.${folder.replace("/", ".")}`, "api", folder] as const),
  ["k8s.io.apimachinery.pkg.apis.meta.v1", "apimachinery", "pkg/apis/meta/v1"],
  ["k8s.io.apimachinery.pkg.runtime", "apimachinery", "pkg/runtime"],
  ["k8s.io.apimachinery.pkg.api.resource", "apimachinery", "pkg/api/resource"],
  ["k8s.io.apimachinery.pkg.util.intstr", "apimachinery", "pkg/util/intstr"],
  [
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1",
    "apiextensions-apiserver",
    "pkg/apis/apiextensions/v1",
  ],
];

type GoField = { readonly json: string; readonly pointer: boolean; readonly inline: boolean };

/** Fields of the Go structs by struct and protobuf name. */
function goFields(source: string): Map<string, GoField> {
  const out = new Map<string, GoField>();
  let struct = "";
  for (const line of source.split("\n")) {
    const head = /^type (\w+) struct \{/.exec(line);
    if (head !== null) struct = head[1] ?? "";
    if (line.startsWith("}")) struct = "";
    const field = /^\t(?:\w+\s+)?(\*?)([\w.[\]*]+)\s+`json:"([^"]*)".*protobuf:"([^"]*)"/.exec(line);
    if (struct === "" || field === null) continue;
    const [, star, type = "", tag = "", proto = ""] = field;
    const [json = "", ...options] = tag.split(",");
    const embedded = `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
    const name = /name=(\w+)/.exec(proto)?.[1] ?? embedded;
    out.set(`${struct}.${name}`, { json, pointer: star === "*", inline: options.includes("inline") });
  }
  return out;
}

const known = new Set<string>();
const messages: Record<string, Record<string, readonly string[]>> = {};
for (const [proto, module, folder] of packages) {
  const path = join(modules, `${module}@${version}`, folder);
  const types = ["types.go", "types_jsonschema.go", "quantity.go", "intstr.go"]
    .map((file) => join(path, file))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const go = goFields(types);
  let message = "";
  for (const line of readFileSync(join(path, "generated.proto"), "utf8").split("\n")) {
    const head = /^message (\w+) \{/.exec(line);
    if (head !== null) {
      message = head[1] ?? "";
      known.add(`${proto}.${message}`);
    }
    if (line.startsWith("}")) message = "";
    const field = /^ {2}(?:(optional|repeated|required) )?(map<string, ([\w.]+)>|[\w.]+) (\w+) = (\d+);/.exec(
      line,
    );
    if (message === "" || field === null) continue;
    const [, label, plain = "", value, name = "", number = ""] = field;
    const type = value ?? plain;
    const full = type.startsWith(".") ? type.slice(1) : /^[A-Z]/.test(type) ? `${proto}.${type}` : type;
    const source = go.get(`${message}.${name}`);
    const flags = [
      label === "repeated" ? "r" : "",
      value === undefined ? "" : "m",
      source?.pointer === true ? "p" : "",
      source?.inline === true ? "i" : "",
    ].join("");
    const id = `${proto}.${message}`;
    messages[id] ??= {};
    const json = source === undefined || source.json === "" ? name : source.json;
    messages[id][number] = flags === "" ? [json, full] : [json, full, flags];
  }
}
for (const [id, fields] of Object.entries(messages)) {
  for (const [name = "", type = ""] of Object.values(fields)) {
    if (type.includes(".") && !known.has(type)) throw new Error(`${id}.${name} has the unknown type ${type}`);
  }
}
const lines = Object.entries(messages)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([id, fields]) => `${JSON.stringify(id)}:${JSON.stringify(fields)}`);
writeFileSync(
  new URL("../src/embedded/built-in/messages.json", import.meta.url),
  `{\n${lines.join(",\n")}\n}\n`,
);
