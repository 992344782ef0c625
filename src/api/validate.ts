import { isFields } from "../base/json.ts";
import { type FieldError, invalid, required } from "./field-error.ts";
import { findKind } from "./kinds.ts";
import type { KubeObject } from "./meta.ts";
import { unsupportedErrors } from "./not-supported-yet.ts";
import { rulesOf } from "./rules/rules.ts";
import { schemaErrors, unknownField } from "./schema-errors.ts";
import { nodeOf, type SchemaNode } from "./schema-node.ts";
import { withoutNulls } from "./without-nulls.ts";

const metadataFields = {
  name: true,
  generateName: true,
  namespace: true,
  uid: true,
  resourceVersion: true,
  generation: true,
  creationTimestamp: true,
  deletionTimestamp: true,
  deletionGracePeriodSeconds: true,
  labels: true,
  annotations: true,
  finalizers: true,
  ownerReferences: true,
  managedFields: true,
  selfLink: true,
};

/**
 * What is wrong with one object of a kind of ours, by itself: its schema, fields that nobody knows by name, the
 * rules of its kind, and what this release does not do yet. Nothing for other kinds.
 */
export function validateObject(object: KubeObject): readonly FieldError[] {
  const kind = findKind(object);
  if (kind === undefined) return [];
  const known = {
    apiVersion: true,
    kind: true,
    metadata: true,
    spec: true,
    ...(kind.status && { status: true }),
  };
  const errors = [
    ...Object.keys(object)
      .filter((name) => !Object.hasOwn(known, name))
      .flatMap((name) => unknownField(name, known, [])),
    ...metadataErrors(object.metadata),
    ...specErrors(nodeOf(kind.spec), object["spec"]),
    ...(kind.status === undefined
      ? []
      : schemaErrors(nodeOf(kind.status), object["status"] ?? {}, ["status"])),
  ];
  // A rule may rely on the types that the schema promises; an unknown field does not touch them.
  const typed = errors.every((error) => error.reason === "UnknownField");
  // An absent spec of a kind that requires nothing in it is an empty one.
  const given = { ...object, spec: withoutNulls(object["spec"] ?? {}) };
  return [...errors, ...(typed ? rulesOf(kind.resource.kind, given) : []), ...unsupportedErrors(given)];
}

function specErrors(node: SchemaNode, spec: unknown): readonly FieldError[] {
  if (spec !== undefined && spec !== null) return schemaErrors(node, spec, ["spec"]);
  return (node.required ?? []).length === 0 ? [] : [required(["spec"], "spec is missing")];
}

function metadataErrors(metadata: unknown): readonly FieldError[] {
  if (!isFields(metadata)) return [invalid(["metadata"], "must be an object")];
  return [
    ...Object.keys(metadata)
      .filter((name) => !Object.hasOwn(metadataFields, name))
      .flatMap((name) => unknownField(name, metadataFields, ["metadata"])),
    ...textErrors(metadata, "labels", (value) => labelValue.test(value)),
    ...textErrors(metadata, "annotations", () => true),
  ];
}

const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

function textErrors(
  metadata: Readonly<Record<string, unknown>>,
  field: "labels" | "annotations",
  fits: (value: string) => boolean,
): readonly FieldError[] {
  const given = metadata[field];
  if (given === undefined || given === null) return [];
  if (!isFields(given)) return [invalid(["metadata", field], "must be an object")];
  return Object.entries(given).flatMap(([name, value]) => {
    const path = ["metadata", field, name];
    if (typeof value !== "string") return [invalid(path, "must be a text", "Write the value in quotes.")];
    return fits(value) ? [] : [invalid(path, "is no value that a label can have")];
  });
}
