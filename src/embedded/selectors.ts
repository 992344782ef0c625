import { jsonText } from "../base/exact-json.ts";
import type { JsonObject } from "../base/json.ts";
import { badRequest } from "./failure.ts";
import { at, objectAt } from "./value.ts";

/** Tells whether an object is selected. */
export type Selector = (object: JsonObject) => boolean;

type Requirement = {
  readonly key: string;
  readonly operator: "in" | "notin" | "exists" | "absent" | "gt" | "lt";
  readonly values: readonly string[];
};

/**
 * A label selector in the query syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`,
 * `a>1`, `a<1`, joined by commas. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
export function labelSelector(text: string): Selector {
  const requirements = parts(text).map(requirementOf);
  return (object) => {
    const labels = objectAt(object, "metadata", "labels");
    return requirements.every((requirement) => met(requirement, labels));
  };
}

/** Splits at commas outside parentheses. */
function parts(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === "(") depth++;
    else if (sign === ")") depth--;
    else if (sign === "," && depth === 0) {
      out.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  out.push(text.slice(start).trim());
  if (depth !== 0) throw unparsable(text);
  return text.trim() === "" ? [] : out;
}

function unparsable(text: string): Error {
  return badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

const keyPattern = "[A-Za-z0-9](?:[A-Za-z0-9./_-]*[A-Za-z0-9])?";
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const setPattern = new RegExp(`^(${keyPattern})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const comparisonPattern = new RegExp(`^(${keyPattern})\\s*(==|=|!=|>|<)\\s*([^\\s=!<>]*)$`);
const existencePattern = new RegExp(`^(!?)\\s*(${keyPattern})$`);

function requirementOf(text: string): Requirement {
  const set = setPattern.exec(text);
  if (set !== null) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    return { key: set[1] ?? "", operator: set[2] === "in" ? "in" : "notin", values: checked(values, text) };
  }
  const comparison = comparisonPattern.exec(text);
  if (comparison !== null) {
    const [, key = "", sign, value = ""] = comparison;
    if (sign === ">" || sign === "<") {
      if (!/^-?[0-9]+$/.test(value)) throw unparsable(text);
      return { key, operator: sign === ">" ? "gt" : "lt", values: [value] };
    }
    return { key, operator: sign === "!=" ? "notin" : "in", values: checked([value], text) };
  }
  const existence = existencePattern.exec(text);
  if (existence === null) throw unparsable(text);
  return { key: existence[2] ?? "", operator: existence[1] === "!" ? "absent" : "exists", values: [] };
}

function checked(values: readonly string[], text: string): readonly string[] {
  if (values.every((value) => valuePattern.test(value))) return values;
  throw unparsable(text);
}

function met(requirement: Requirement, labels: JsonObject): boolean {
  const { key, operator, values } = requirement;
  const value = Object.hasOwn(labels, key) ? String(labels[key]) : undefined;
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "in":
      return value !== undefined && values.includes(value);
    case "notin":
      return value === undefined || !values.includes(value);
    case "gt":
    case "lt": {
      const limit = Number(values[0]);
      if (value === undefined || !/^-?[0-9]+$/.test(value)) return false;
      return operator === "gt" ? Number(value) > limit : Number(value) < limit;
    }
  }
}

/** Fields by which a kind can be selected besides metadata.name and metadata.namespace. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  "/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  "/namespaces": ["status.phase"],
  "/nodes": ["spec.unschedulable"],
  "/secrets": ["type"],
  "/replicationcontrollers": ["status.replicas"],
  "apps/replicasets": ["status.replicas"],
  "batch/jobs": ["status.successful"],
  "/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
};

/** Names of fields that are stored under another path. */
const storedAt: Readonly<Record<string, string>> = {
  "status.successful": "status.succeeded",
  source: "source.component",
};

/**
 * `a=b`, `a==b`, `a!=b`, joined by commas; unknown fields are refused as the real server refuses them.
 * `custom`: the selectable fields of a kind that a definition describes.
 */
export function fieldSelector(text: string, resource: string, custom?: readonly string[]): Selector {
  const more = custom ?? selectable[resource];
  const known = ["metadata.name", "metadata.namespace", ...(more ?? [])];
  const requirements = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part.trim());
      if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const [, field = "", sign, value = ""] = match;
      if (!known.includes(field)) {
        throw badRequest(
          more === undefined
            ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
            : `field label not supported: ${field}`,
        );
      }
      return { path: (storedAt[field] ?? field).split("."), same: sign !== "!=", value };
    });
  return (object) =>
    requirements.every(({ path, same, value }) => (fieldText(at(object, ...path)) === value) === same);
}

function fieldText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : jsonText(value);
}
