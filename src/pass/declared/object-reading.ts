import { errorText, type FieldError } from "../../api/field-error.ts";
import { type KubeObject, keyOf, nameOf, type ObjectMeta, type Resource, refOf } from "../../api/meta.ts";
import { validateObject } from "../../api/validate.ts";
import { digestOf } from "../../base/digest.ts";
import { isFields } from "../../base/json.ts";
import type { Place, Problem } from "../../base/problem.ts";
import { type FieldPath, jsonOf, lineOf, type YamlNode } from "../../base/yaml/yaml-node.ts";
import { type Fields, withoutClusterFields } from "./cluster-fields.ts";
import type { Document } from "./declared.ts";
import { foreignCharacter } from "./own-kinds.ts";

/** One document of ours. `key` is there when the identity is clear, `document` when the object is in order. */
export type ObjectReading = {
  readonly place: Place;
  readonly problems: readonly Problem[];
  readonly identity?: { readonly key: string; readonly name: string };
  readonly document?: Document;
};

type PlaceOf = (field: FieldPath) => Place;

/** Reads one document of a kind of ours. */
export function readObject(node: YamlNode, path: string, resource: Resource): ObjectReading {
  const place = { path, line: node.line };
  const placeOf: PlaceOf = (field) => ({ path, line: lineOf(node, field) });
  const { object: fields, dropped } = withoutClusterFields(Object(jsonOf(node)));
  const warnings = dropped.map((field) => clusterField(field, placeOf(field)));
  const named = metadataProblems(fields["metadata"], resource, placeOf);
  const object = asObject(fields);
  if (object === undefined) return { place, problems: [...warnings, ...named] };
  const identity = { key: keyOf(refOf(object)), name: nameOf(refOf(object)) };
  const fieldProblems = validateObject(object).map((error) => fieldProblem(error, placeOf(error.path)));
  const problems = [...warnings, ...named, ...fieldProblems].map((problem) => ({
    ...problem,
    object: identity.name,
  }));
  if (problems.some((problem) => problem.severity === "error")) return { place, problems, identity };
  const document = { object, path, line: node.line, digest: digestOf(object), placeOf };
  return { place, problems, identity, document };
}

const objectName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const namespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function metadataProblems(metadata: unknown, resource: Resource, placeOf: PlaceOf): readonly Problem[] {
  const { name, namespace } = isFields(metadata) ? metadata : {};
  const problems: Problem[] = [];
  const wrong = (field: string, message: string, next: string) =>
    problems.push({
      severity: "error",
      reason: "Invalid",
      message,
      place: placeOf(["metadata", field]),
      next,
    });
  if (name === undefined) wrong("name", "metadata.name is missing", "Give the object a name.");
  else if (typeof name !== "string" || !objectName.test(name)) {
    wrong(
      "name",
      `metadata.name is not a DNS name${whyNot(name, 253)}`,
      "Use small letters, digits, dashes and dots.",
    );
  }
  const clusterWide = `metadata.namespace: ${resource.kind} is not a namespaced kind`;
  if (!resource.namespaced && namespace !== undefined)
    wrong("namespace", clusterWide, "Take the namespace out.");
  if (!resource.namespaced) return problems;
  if (namespace === undefined) {
    wrong(
      "namespace",
      "metadata.namespace is missing",
      "Write it down; there is no default namespace in Git.",
    );
  } else if (typeof namespace !== "string" || !namespaceName.test(namespace)) {
    wrong(
      "namespace",
      `metadata.namespace is not a DNS label${whyNot(namespace, 63)}`,
      "Use small letters, digits and dashes.",
    );
  }
  return problems;
}

/** What cannot be seen in a name by looking at it. */
function whyNot(name: unknown, longest: number): string {
  if (typeof name !== "string") return ": it is no text; put it in quotes";
  const odd = foreignCharacter(name);
  if (odd !== undefined) return `: it holds the character ${odd}`;
  return name.length > longest ? `: it is longer than ${longest} characters` : "";
}

function fieldProblem(error: FieldError, place: Place): Problem {
  const { severity, reason, next } = error;
  const problem = { severity, reason, message: errorText(error), place };
  return next === undefined ? problem : { ...problem, next };
}

function clusterField(field: FieldPath, place: Place): Problem {
  const message = `${field.join(".")} is set by the cluster and is left out`;
  return {
    severity: "warning",
    reason: "ClusterFieldInGit",
    message,
    place,
    next: "Take the field out of the file.",
  };
}

function asObject(fields: Fields): KubeObject | undefined {
  const { apiVersion, kind, metadata } = fields;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isMetadata(metadata)) return undefined;
  return { ...fields, apiVersion, kind, metadata };
}

function isMetadata(value: unknown): value is ObjectMeta {
  if (!isFields(value)) return false;
  const { name, namespace } = value;
  return typeof name === "string" && (namespace === undefined || typeof namespace === "string");
}
