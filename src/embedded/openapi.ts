import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { jsonText, parseJson } from "../base/exact-json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { type Answer, type Call, json } from "./call.ts";
import { Failure, methodNotAllowed, noSuchPath } from "./failure.ts";
import { apiVersion, definitions, type Kind, type Kinds } from "./kinds.ts";
import { isList, isObject, objectAt, textAt } from "./value.ts";

/** OpenAPI documents as clients need them: schemas with their keys, and which parameters a path takes. */

/** `/openapi/v3`, `/openapi/v3/<group version>`, `/openapi/v2`. */
export function openApi(kinds: Kinds, call: Call): Answer {
  if (call.method !== "GET") throw methodNotAllowed();
  const [, version, ...rest] = call.segments;
  if (version === "v3" && rest.length === 0) return json(200, { paths: groupVersionPaths(kinds) });
  if (version === "v3") return json(200, documentOf(kinds, rest.join("/")));
  if (version !== "v2" || rest.length > 0) throw noSuchPath();
  if (call.accept.includes(protobufType)) return emptyProtobuf();
  if (!/application\/json|\*\/\*/.test(call.accept) && call.accept !== "") {
    throw new Failure(
      406,
      "NotAcceptable",
      "only application/json is served at /openapi/v2; /openapi/v3 has the same",
      {},
    );
  }
  return json(200, versionTwo(kinds));
}

const protobufType = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/**
 * kubectl asks for version 2, in protobuf alone, about kinds that version 3 does not know. It is answered
 * that there are no more: a Document of gnostic's openapiv2 with `swagger` (1) and `info` (2) only.
 */
function emptyProtobuf(): Answer {
  const text = (field: number, value: string) => [(field << 3) | 2, value.length, ...Buffer.from(value)];
  const info = [...text(1, "Kubernetes"), ...text(2, "v1")];
  const bytes = Buffer.from([...text(1, "2.0"), (2 << 3) | 2, info.length, ...info]);
  // The name that is asked for is no valid media type; this is how servers name it.
  return { kind: "bytes", contentType: protobufType.replace("@", "."), bytes };
}

function pathOf(kind: Kind): string {
  return kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

function groupVersionPaths(kinds: Kinds): JsonObject {
  const out: Record<string, Json> = {};
  for (const path of new Set(kinds.all.map(pathOf))) {
    const text = jsonText(documentOf(kinds, path));
    const hash = createHash("sha256").update(text).digest("hex").toUpperCase();
    out[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return out;
}

const refPrefix = "#/components/schemas/";

function documentOf(kinds: Kinds, path: string): JsonObject {
  const served = kinds.all.filter((kind) => pathOf(kind) === path);
  if (served.length === 0) throw noSuchPath();
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const kind of served) {
    const name = nameOf(kind);
    const schema: JsonObject = kind.custom === undefined ? objectAt(definitions, name) : withKind(kind);
    collect(name, schema, schemas);
    Object.assign(paths, pathsOf(kind, name));
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "1" },
    paths,
    components: { schemas },
  };
}

function withKind(kind: Kind): JsonObject {
  const { group, version } = kind;
  return { ...kind.schema.raw, "x-kubernetes-group-version-kind": [{ group, version, kind: kind.kind }] };
}

/** The name of a kind's definition: built-in ones have one, custom ones get the group backwards. */
function nameOf(kind: Kind): string {
  if (kind.custom === undefined) return textAt(kind.schema.raw, "$ref");
  return `${kind.group.split(".").reverse().join(".")}.${kind.version}.${kind.kind}`;
}

function collect(name: string, schema: JsonObject, into: Record<string, Json>): void {
  if (into[name] !== undefined) return;
  into[name] = {};
  into[name] = spelledOut(schema, into);
}

/** A schema in OpenAPI's spelling, its references collected along the way. */
function spelledOut(schema: JsonObject, into: Record<string, Json>): JsonObject {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") {
      const target = String(value);
      collect(target, objectAt(definitions, target), into);
      out["allOf"] = [{ $ref: `${refPrefix}${target}` }];
    } else if (key === "properties" && isObject(value)) {
      out[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [
          name,
          isObject(child) ? spelledOut(child, into) : child,
        ]),
      );
    } else if (isObject(value) && (key === "items" || key === "additionalProperties" || key === "not")) {
      out[key] = spelledOut(value, into);
    } else if (isList(value) && (key === "allOf" || key === "anyOf" || key === "oneOf")) {
      out[key] = value.map((child) => (isObject(child) ? spelledOut(child, into) : child));
    } else out[key] = value;
  }
  return out;
}

const parameter = (name: string, type: string): JsonObject => ({
  name,
  in: "query",
  schema: { type, uniqueItems: true },
});
const writeParameters = [
  parameter("dryRun", "string"),
  parameter("fieldManager", "string"),
  parameter("fieldValidation", "string"),
];

function pathsOf(kind: Kind, name: string): JsonObject {
  const namespaced = kind.namespaced ? "/namespaces/{namespace}" : "";
  const base = `/${pathOf(kind)}${namespaced}/${kind.plural}`;
  const { group, version } = kind;
  const body = { content: { "application/json": { schema: { $ref: `${refPrefix}${name}` } } } };
  const operation = (action: string, parameters: readonly Json[]): JsonObject => ({
    operationId: `${action}${kind.kind}`,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind: kind.kind },
    parameters,
    responses: { "200": { description: "OK", ...body } },
  });
  return {
    [base]: {
      get: operation("list", []),
      post: { ...operation("post", writeParameters), requestBody: body },
    },
    [`${base}/{name}`]: {
      get: operation("get", []),
      put: { ...operation("put", writeParameters), requestBody: body },
      patch: operation("patch", [...writeParameters, parameter("force", "boolean")]),
      delete: operation("delete", [parameter("dryRun", "string")]),
    },
  };
}

/** The same in version 2, for clients that ask for nothing newer. */
function versionTwo(kinds: Kinds): JsonObject {
  const schemas: Record<string, Json> = {};
  for (const kind of kinds.all) {
    collect(
      nameOf(kind),
      kind.custom === undefined ? objectAt(definitions, nameOf(kind)) : withKind(kind),
      schemas,
    );
  }
  const text = jsonText(schemas).replaceAll(refPrefix, "#/definitions/");
  const converted: unknown = parseJson(text);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: apiVersion({ group: "", version: "v1" }) },
    paths: {},
    definitions: isObject(converted) ? converted : {},
  };
}
