import type { KubeObject } from "../../api/meta.ts";
import { at, isObject, listAt, textAt, textsAt } from "../value.ts";
import { stringsAt } from "./owned-pods.ts";

/**
 * Whether a pod may be put on a node: its nodeSelector and its required node affinity. Preferences, affinity
 * to other pods, taints and free capacity do not matter where there is one node.
 */
export function fitsNode(podSpec: unknown, node: KubeObject | undefined, nodeName: string): boolean {
  const labels = stringsAt(node, "metadata", "labels");
  const selector = Object.entries(stringsAt(podSpec, "nodeSelector"));
  if (selector.some(([label, value]) => labels[label] !== value)) return false;
  const required = at(podSpec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  if (!isObject(required)) return true;
  // Terms are alternatives; within a term everything has to hold.
  return listAt(required, "nodeSelectorTerms").some((term) => {
    const fields: Readonly<Record<string, string>> = { "metadata.name": nodeName };
    const expressions = listAt(term, "matchExpressions");
    const fieldExpressions = listAt(term, "matchFields");
    return (
      expressions.length + fieldExpressions.length > 0 &&
      expressions.every((one) => holds(one, labels)) &&
      fieldExpressions.every((one) => holds(one, fields))
    );
  });
}

function holds(expression: unknown, values: Readonly<Record<string, string>>): boolean {
  const value = values[textAt(expression, "key")];
  const wanted = textsAt(expression, "values");
  switch (textAt(expression, "operator")) {
    case "In":
      return value !== undefined && wanted.includes(value);
    case "NotIn":
      return value === undefined || !wanted.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(wanted[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(wanted[0]);
    default:
      return false;
  }
}
