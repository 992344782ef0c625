import { Buffer } from "node:buffer";
import { parseJson } from "../base/exact-json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import messagesFile from "./built-in/messages.json" with { type: "json" };
import { badRequest, Failure } from "./failure.ts";
import { isObject, objectAt, textAt } from "./value.ts";

/**
 * Bodies in Kubernetes' protobuf, which `kubectl create <kind>` and typed Go clients send, as the JSON that
 * they mean. Answers are always JSON. https://protobuf.dev/programming-guides/encoding/
 */
export function decodedProtobuf(bytes: Buffer): JsonObject {
  if (bytes.length < 4 || bytes.subarray(0, 4).toString("latin1") !== "k8s\0") {
    throw badRequest("the body is no Kubernetes protobuf: it does not begin with k8s\\0");
  }
  const envelope = fieldsOf(bytes.subarray(4));
  const type = fieldsOf(bytesOf(envelope.get(1)?.[0]));
  const apiVersion = bytesOf(type.get(1)?.[0]).toString("utf8");
  const kind = bytesOf(type.get(2)?.[0]).toString("utf8");
  const message = messageOf(apiVersion, kind);
  return { apiVersion, kind, ...decoded(bytesOf(envelope.get(2)?.[0]), message, 0) };
}

const messages: JsonObject = messagesFile;
const meta = "k8s.io.apimachinery.pkg.apis.meta.v1";
/** Deeper than any object; a schema may hold schemas. */
const depthLimit = 100;

function messageOf(apiVersion: string, kind: string): string {
  const known = Object.keys(messages).find((id) => {
    if (!id.endsWith(`.${kind}`)) return false;
    const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
    const folder = group.split(".")[0] ?? "";
    return (
      id === `k8s.io.api.${folder}.${version}.${kind}` || id.endsWith(`.apis.${folder}.${version}.${kind}`)
    );
  });
  if (kind === "DeleteOptions") return `${meta}.DeleteOptions`;
  if (known !== undefined) return known;
  const what = `${kind} of ${apiVersion}`;
  throw new Failure(
    415,
    "UnsupportedMediaType",
    `${what} is not read as protobuf: send application/json`,
    {},
  );
}

type Wire = Buffer | bigint;

function bytesOf(value: Wire | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function broken(): Failure {
  return badRequest("the protobuf body is damaged");
}

/** The fields of a message by number, each as often as it stands there. */
function fieldsOf(bytes: Buffer): ReadonlyMap<number, readonly Wire[]> {
  const out = new Map<number, Wire[]>();
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[position++];
      if (byte === undefined) throw broken();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw broken();
  };
  const take = (length: number): Buffer => {
    if (length < 0 || position + length > bytes.length) throw broken();
    position += length;
    return bytes.subarray(position - length, position);
  };
  while (position < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    let value: Wire;
    switch (tag & 7) {
      case 0:
        value = varint();
        break;
      case 1:
        value = take(8);
        break;
      case 2:
        value = take(Number(varint()));
        break;
      case 5:
        value = take(4);
        break;
      default:
        throw broken();
    }
    const known = out.get(number);
    if (known === undefined) out.set(number, [value]);
    else known.push(value);
  }
  return out;
}

function decoded(bytes: Buffer, message: string, depth: number): JsonObject {
  if (depth > depthLimit) throw badRequest("the protobuf body is nested too deeply");
  const layout = objectAt(messages, message);
  const out: Record<string, Json> = {};
  for (const [number, values] of fieldsOf(bytes)) {
    const entry = layout[String(number)];
    if (!Array.isArray(entry)) continue;
    const [name, type, flags = ""] = entry.map(String);
    if (name === undefined || type === undefined) continue;
    if (flags.includes("m")) out[name] = mapOf(values, type, depth);
    else if (flags.includes("r")) out[name] = values.map((value) => valueOf(value, type, depth));
    else {
      const last = values.at(-1);
      const value = last === undefined ? null : valueOf(last, type, depth);
      if (flags.includes("i")) Object.assign(out, isObject(value) ? value : {});
      else if (flags.includes("p") || !isZero(value)) out[name] = value;
    }
  }
  return out;
}

/** Go writes fields that are not pointers even when nobody set them. */
function isZero(value: Json): boolean {
  return value === "" || value === 0 || value === false || value === null;
}

function mapOf(entries: readonly Wire[], type: string, depth: number): JsonObject {
  const out: Record<string, Json> = {};
  for (const entry of entries) {
    const fields = fieldsOf(bytesOf(entry));
    const key = bytesOf(fields.get(1)?.[0]).toString("utf8");
    if (key === "__proto__") throw badRequest("a field may not be named __proto__");
    const value = fields.get(2)?.[0];
    out[key] = value === undefined ? "" : valueOf(value, type, depth);
  }
  return out;
}

function valueOf(value: Wire, type: string, depth: number): Json {
  switch (type) {
    case "string":
      return bytesOf(value).toString("utf8");
    case "bytes":
      return bytesOf(value).toString("base64");
    case "bool":
      return value === 1n;
    case "int32":
    case "int64":
      return typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : 0;
    case "double":
      return bytesOf(value).length === 8 ? bytesOf(value).readDoubleLE() : 0;
    default:
      return messageValue(bytesOf(value), type, depth + 1);
  }
}

/** Types that stand for something else than an object in JSON. */
function messageValue(bytes: Buffer, type: string, depth: number): Json {
  const fields = () => fieldsOf(bytes);
  const number = (value: Wire | undefined) =>
    typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : 0;
  switch (type) {
    case "k8s.io.apimachinery.pkg.api.resource.Quantity":
      return bytesOf(fields().get(1)?.[0]).toString("utf8");
    case "k8s.io.apimachinery.pkg.util.intstr.IntOrString": {
      const parts = fields();
      if (number(parts.get(1)?.[0]) === 0) return number(parts.get(2)?.[0]);
      return bytesOf(parts.get(3)?.[0]).toString("utf8");
    }
    case `${meta}.Time`:
    case `${meta}.MicroTime`: {
      const parts = fields();
      if (parts.size === 0) return null;
      const seconds = number(parts.get(1)?.[0]);
      const micros = Math.floor(number(parts.get(2)?.[0]) / 1000);
      // The years that RFC 3339 can write.
      if (seconds < -62_135_596_800 || seconds > 253_402_300_799) throw broken();
      const text = new Date(seconds * 1000).toISOString().slice(0, 19);
      return type.endsWith("MicroTime") ? `${text}.${String(micros).padStart(6, "0")}Z` : `${text}Z`;
    }
    case `${meta}.FieldsV1`:
    case "k8s.io.apimachinery.pkg.runtime.RawExtension":
    case "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON":
      return embedded(bytesOf(fields().get(1)?.[0]));
    default:
      return /\.JSONSchemaPropsOr\w+$/.test(type)
        ? choiceOf(decoded(bytes, type, depth))
        : listed(bytes, type, depth);
  }
}

function embedded(bytes: Buffer): Json {
  try {
    return parseJson(bytes.toString("utf8") || "null");
  } catch {
    throw badRequest("a field that holds JSON holds something else");
  }
}

/** `JSONSchemaPropsOrBool` and its siblings are either of their fields. */
function choiceOf(parts: JsonObject): Json {
  const key = ["schema", "Schema", "jSONSchemas", "JSONSchemas", "property", "Property"].find(
    (name) => parts[name] !== undefined,
  );
  if (key !== undefined) return parts[key] ?? null;
  return parts["allows"] === true || parts["Allows"] === true;
}

/** Messages with nothing but `items` that stand for a plain list, e.g. ExtraValue. */
function listed(bytes: Buffer, type: string, depth: number): Json {
  const layout = objectAt(messages, type);
  const value = decoded(bytes, type, depth);
  const [only, ...others] = Object.values(layout);
  const plain =
    others.length === 0 && Array.isArray(only) && only[0] === "items" && textAt(value, "kind") === "";
  return plain && type.endsWith("Value") ? (value["items"] ?? []) : value;
}
