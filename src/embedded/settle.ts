import type { JsonObject } from "../base/json.ts";
import { definitionCauses } from "./crd/check.ts";
import { withDefaults } from "./defaults/built-in.ts";
import { badRequest, type Failure, invalid } from "./failure.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { changeCauses, kindCauses, metadataCauses } from "./rules.ts";
import { defaulted, withStructs } from "./schema/default.ts";
import { pruned, withoutNulls } from "./schema/prune.ts";
import { violations } from "./schema/validate.ts";
import { isObject, textAt } from "./value.ts";
import type { WriteOptions } from "./write.ts";

/** The object without unknown fields and with defaults. Throws 400 on wrong types, and on unknown fields if strict. */
export function settled(kind: Kind, raw: JsonObject, options: WriteOptions): JsonObject {
  const identified = withoutEmptyMetadata({ ...raw, apiVersion: apiVersion(kind), kind: kind.kind });
  if (kind.custom !== undefined) {
    const { value, unknown } = pruned(identified, kind.schema);
    report(kind, unknown, options);
    return defaulted(value, kind.schema);
  }
  const clean = withoutNulls(identified);
  const object = isObject(clean) ? clean : identified;
  for (const cause of violations(object, kind.schema)) {
    if (cause.reason === "FieldValueTypeInvalid") {
      const what = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
      throw unreadable(options, `${what}: `, `${cause.field}: ${cause.message}`);
    }
  }
  const { value, unknown } = pruned(object, kind.schema);
  report(kind, unknown, options);
  return withStructs(withDefaults(kind.resource, value), kind.schema);
}

/** The last label or finalizer that goes takes its list with it. */
function withoutEmptyMetadata(object: JsonObject): JsonObject {
  if (!isObject(object["metadata"])) return object;
  const metadata = Object.entries(object["metadata"]).filter(
    ([name, value]) => !emptied.has(name) || value === null || Object.keys(value).length > 0,
  );
  return { ...object, metadata: Object.fromEntries(metadata) };
}

const emptied = new Set(["labels", "annotations", "finalizers", "ownerReferences"]);

/** What cannot be read as the kind: a bad request, or an invalid patch. */
function unreadable(options: WriteOptions, what: string, why: string): Failure {
  if (!options.patches) return badRequest(`${what}${why}`);
  const cause = { reason: "FieldValueInvalid", message: `Invalid value: ${why}`, field: "patch" };
  return invalid({ group: "", plural: "", kind: "" }, "", [cause]);
}

function report(kind: Kind, unknown: readonly string[], options: WriteOptions): void {
  const texts = unknown.map((field) => `unknown field "${field}"`);
  if (options.validation === "Strict" && texts.length > 0) {
    const what = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
    throw unreadable(options, `${what}: `, `strict decoding error: ${texts.join(", ")}`);
  }
  if (options.validation === "Warn") options.warnings.push(...texts);
}

export function requireValid(kind: Kind, object: JsonObject, live: JsonObject | undefined): void {
  const causes = [
    ...metadataCauses(kind, object),
    ...violations(object, kind.schema),
    ...kindCauses(kind, object),
    ...(kind.kind === "CustomResourceDefinition" ? definitionCauses(object) : []),
    ...(live === undefined ? [] : changeCauses(kind, live, object)),
  ];
  if (causes.length > 0) throw invalid(kind, textAt(object, "metadata", "name"), causes);
}
