import type { JsonObject } from "../../base/json.ts";
import { type Cause, notDone } from "../failure.ts";
import type { Kind } from "../kinds.ts";
import { missing, wrong } from "../schema/validate.ts";
import { at, isObject, listAt, objectAt, textAt } from "../value.ts";

/** Refuses, by name, what of a CustomResourceDefinition the embedded cluster cannot keep. */
export function refuseUndone(kind: Kind, object: JsonObject): void {
  if (kind.kind !== "CustomResourceDefinition" || kind.group !== "apiextensions.k8s.io") return;
  if (textAt(object, "spec", "conversion", "strategy") === "Webhook") {
    throw notDone("conversion webhooks", "use one version, or conversion strategy None");
  }
  for (const version of listAt(object, "spec", "versions")) {
    const schema = at(version, "schema", "openAPIV3Schema");
    const place = ruled(schema, "openAPIV3Schema");
    if (place !== undefined) {
      throw notDone(
        `validation rules in CEL (x-kubernetes-validations at ${place})`,
        "take the rules out of the definition, or use a real cluster",
      );
    }
  }
}

function ruled(schema: unknown, path: string): string | undefined {
  if (!isObject(schema)) return undefined;
  if (listAt(schema, "x-kubernetes-validations").length > 0) return path;
  for (const [name, child] of Object.entries(objectAt(schema, "properties"))) {
    const found = ruled(child, `${path}.properties[${name}]`);
    if (found !== undefined) return found;
  }
  return (
    ruled(schema["items"], `${path}.items`) ??
    ruled(schema["additionalProperties"], `${path}.additionalProperties`)
  );
}

/** What the API server would say against a definition. */
export function definitionCauses(object: JsonObject): readonly Cause[] {
  const out: Cause[] = [];
  const group = textAt(object, "spec", "group");
  const plural = textAt(object, "spec", "names", "plural");
  const name = textAt(object, "metadata", "name");
  if (name !== `${plural}.${group}`) {
    out.push(wrong("metadata.name", name, `must be spec.names.plural+"."+spec.group`));
  }
  if (!group.includes(".")) out.push(wrong("spec.group", group, "should be a domain with at least one dot"));
  const versions = listAt(object, "spec", "versions");
  const stored = versions.filter((version) => at(version, "storage") === true);
  if (stored.length !== 1) {
    const names = versions.map((version) => textAt(version, "name"));
    out.push(wrong("spec.versions", names, "must have exactly one version marked as storage version"));
  }
  for (const [index, version] of versions.entries()) {
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    const schema = at(version, "schema", "openAPIV3Schema");
    if (!isObject(schema)) out.push({ ...missing(field), message: "Required value: schemas are required" });
    else structuralCauses(schema, field, true, out);
  }
  return out;
}

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema */
function structuralCauses(schema: JsonObject, field: string, isRoot: boolean, out: Cause[]): void {
  const type = textAt(schema, "type");
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const intOrString = schema["x-kubernetes-int-or-string"] === true;
  if (isRoot && type !== "object") {
    out.push(
      type === ""
        ? { ...missing(`${field}.type`), message: "Required value: must not be empty at the root" }
        : wrong(`${field}.type`, type, "must be object at the root"),
    );
  } else if (type === "" && !preserves && !intOrString) {
    out.push({
      ...missing(`${field}.type`),
      message: "Required value: must not be empty for specified object fields",
    });
  }
  const properties = objectAt(schema, "properties");
  for (const [name, child] of Object.entries(properties)) {
    if (isRoot && ["apiVersion", "kind", "metadata"].includes(name)) continue;
    if (isObject(child)) structuralCauses(child, `${field}.properties[${name}]`, false, out);
  }
  const additional = schema["additionalProperties"];
  if (isObject(additional)) {
    if (Object.keys(properties).length > 0) {
      out.push({
        reason: "FieldValueForbidden",
        message: "Forbidden: additionalProperties and properties are mutual exclusive",
        field: `${field}.additionalProperties`,
      });
    }
    structuralCauses(additional, `${field}.additionalProperties`, false, out);
  }
  const items = schema["items"];
  if (isObject(items)) structuralCauses(items, `${field}.items`, false, out);
  else if (type === "array")
    out.push({ ...missing(`${field}.items`), message: "Required value: must be specified" });
  for (const key of ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"]) {
    if (schema[key] === undefined) continue;
    out.push({
      reason: "FieldValueForbidden",
      message: `Forbidden: ${key} is not supported`,
      field: `${field}.${key}`,
    });
  }
  if (schema["uniqueItems"] === true) {
    out.push({
      reason: "FieldValueForbidden",
      message: "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
      field: `${field}.uniqueItems`,
    });
  }
  if (
    textAt(schema, "x-kubernetes-list-type") === "map" &&
    listAt(schema, "x-kubernetes-list-map-keys").length === 0
  ) {
    out.push({
      ...missing(`${field}.x-kubernetes-list-map-keys`),
      message: "Required value: must not be empty if x-kubernetes-list-type is map",
    });
  }
}
