import type { KubeObject } from "../../../api/meta.ts";
import type { JsonObject } from "../../../base/json.ts";
import { at, isObject, listAt, objectAt, textAt } from "../../value.ts";
import { NotReady } from "./not-ready.ts";
import { containersOf, serviceAccountOf } from "./pod-spec.ts";
import { parseQuantity } from "./quantity.ts";

/** Reads what environment variables and volumes refer to; undefined where there is no such object. */
export type SourceReader = {
  readonly secret: (name: string) => Promise<KubeObject | undefined>;
  readonly configMap: (name: string) => Promise<KubeObject | undefined>;
};

export type Environment = Readonly<Record<string, string>>;

/**
 * The environment that a container declares, with `$(VAR)` expanded as Kubernetes does. `base` holds what is
 * set before; declared variables win. Throws NotReady where a required reference is missing.
 */
export async function environmentOf(
  pod: KubeObject,
  container: JsonObject,
  read: SourceReader,
  base: Environment,
): Promise<Environment> {
  const variables: Record<string, string> = { ...base };
  for (const source of listAt(container, "envFrom")) Object.assign(variables, await fromSource(source, read));
  for (const entry of listAt(container, "env")) {
    const name = textAt(entry, "name");
    const from = at(entry, "valueFrom");
    if (isObject(from)) {
      const value = await valueFrom(pod, container, from, read);
      if (value !== undefined) variables[name] = value;
    } else {
      variables[name] = expand(textAt(entry, "value"), variables);
    }
  }
  return variables;
}

async function fromSource(source: unknown, read: SourceReader): Promise<Environment> {
  const prefix = textAt(source, "prefix");
  const out: Record<string, string> = {};
  for (const kind of ["configMap", "secret"] as const) {
    const ref = at(source, `${kind}Ref`);
    if (!isObject(ref)) continue;
    const object = await load(kind, textAt(ref, "name"), read);
    if (object === undefined) {
      if (at(ref, "optional") === true) continue;
      throw missing(kind, textAt(ref, "name"));
    }
    for (const key of Object.keys(objectAt(object, "data"))) {
      // Kubernetes leaves keys out that can be no name of a variable.
      if (/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) out[`${prefix}${key}`] = textOf(kind, object, key) ?? "";
    }
  }
  return out;
}

async function valueFrom(
  pod: KubeObject,
  container: JsonObject,
  from: JsonObject,
  read: SourceReader,
): Promise<string | undefined> {
  for (const kind of ["configMap", "secret"] as const) {
    const ref = at(from, `${kind}KeyRef`);
    if (!isObject(ref)) continue;
    const name = textAt(ref, "name");
    const key = textAt(ref, "key");
    const object = await load(kind, name, read);
    const value = object === undefined ? undefined : textOf(kind, object, key);
    if (value !== undefined || at(ref, "optional") === true) return value;
    if (object === undefined) throw missing(kind, name);
    throw new NotReady(
      "config",
      `couldn't find key ${key} in ${words[kind]} ${pod.metadata.namespace ?? ""}/${name}`,
    );
  }
  if (isObject(from["fieldRef"])) return fieldOf(pod, textAt(from, "fieldRef", "fieldPath"));
  if (isObject(from["resourceFieldRef"])) return resourceOf(pod, container, from["resourceFieldRef"]);
  throw new NotReady("config", `valueFrom with ${Object.keys(from).join(", ")} is not done by this kubelet`);
}

const words = { configMap: "ConfigMap", secret: "Secret" } as const;

function missing(kind: "configMap" | "secret", name: string): NotReady {
  return new NotReady("config", `${kind.toLowerCase()} "${name}" not found`);
}

function load(
  kind: "configMap" | "secret",
  name: string,
  read: SourceReader,
): Promise<KubeObject | undefined> {
  return kind === "secret" ? read.secret(name) : read.configMap(name);
}

function textOf(kind: "configMap" | "secret", object: KubeObject, key: string): string | undefined {
  const value = at(object, "data", key);
  if (typeof value !== "string") return undefined;
  return kind === "secret" ? Buffer.from(value, "base64").toString("utf8") : value;
}

/** A field of the pod as the downward API names it. Throws NotReady for one that it does not know. */
export function fieldOf(pod: KubeObject, path: string): string {
  const { name, namespace = "", uid = "", labels = {}, annotations = {} } = pod.metadata;
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed !== null) return (keyed[1] === "labels" ? labels : annotations)[keyed[2] ?? ""] ?? "";
  const quoted = (map: Readonly<Record<string, string>>) =>
    Object.keys(map)
      .sort()
      .map((key) => `${key}=${JSON.stringify(map[key])}`)
      .join("\n");
  const fields: Readonly<Record<string, () => string>> = {
    "metadata.name": () => name,
    "metadata.namespace": () => namespace,
    "metadata.uid": () => uid,
    "metadata.labels": () => quoted(labels),
    "metadata.annotations": () => quoted(annotations),
    "spec.nodeName": () => textAt(pod, "spec", "nodeName"),
    "spec.serviceAccountName": () => serviceAccountOf(pod),
    "status.hostIP": () => "127.0.0.1",
    "status.hostIPs": () => "127.0.0.1",
    "status.podIP": () => "127.0.0.1",
    "status.podIPs": () => "127.0.0.1",
  };
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (field === undefined) throw new NotReady("config", `unsupported fieldPath: ${path}`);
  return field();
}

/** A limit or request of a container; 0 where it has none. Rounded up to the divisor, as Kubernetes does. */
export function resourceOf(pod: KubeObject, container: JsonObject, ref: JsonObject): string {
  const resource = textAt(ref, "resource");
  const [list = "", ...rest] = resource.split(".");
  const name = textAt(ref, "containerName");
  const from = name === "" ? container : containersOf(pod).find((one) => textAt(one, "name") === name);
  const quantity = at(from, "resources", list, rest.join("."));
  const value = quantity === undefined ? 0 : parseQuantity(String(quantity));
  const divisor = parseQuantity(textAt(ref, "divisor") || "1") || 1;
  if (value === undefined || (list !== "limits" && list !== "requests")) {
    throw new NotReady("config", `unsupported container resource: ${resource}`);
  }
  return String(Math.ceil(value / divisor));
}

/** `$(NAME)` becomes the variable's value, `$$(NAME)` stays as `$(NAME)`, an unknown name stays as it is. */
export function expand(text: string, variables: Environment): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, sort: string, name: string | undefined) => {
    if (sort === "$") return "$";
    return name !== undefined && Object.hasOwn(variables, name) ? (variables[name] ?? "") : whole;
  });
}
