import { badWhenTrue } from "../api/condition-types.ts";
import type { KubeObject } from "../api/meta.ts";
import { fieldOf, textOf } from "./field-of.ts";

/** What the conditions and components of a status say is wrong. */
export function complaintsOf(status: unknown): readonly string[] {
  const conditions = fieldOf(status, "conditions");
  const wrong = (Array.isArray(conditions) ? conditions : []).filter(
    (one) => one.message && ["Unknown", badWhenTrue.has(one.type) ? "True" : "False"].includes(one.status),
  );
  const components = Object.values(fieldOf(status, "components") ?? {});
  return [
    ...wrong.map((one) => `${one.reason}: ${one.message}`),
    ...components.map((one) => fieldOf(one, "error")).filter((error) => typeof error === "string"),
    ...components.flatMap((one) => conflictsIn(fieldOf(one, "results", "conflicts"))),
  ];
}

/** What an object says is wrong, and what its fields say where it has no condition for that. */
export function complaintsOfObject({ kind, metadata, ...fields }: KubeObject): readonly string[] {
  const target = fieldOf(fields, "spec", "target");
  const missing =
    ["BackupConfiguration", "RestoreSession"].includes(kind) &&
    fieldOf(fields, "status", "targetFound") === false;
  const namespace = String(fieldOf(target, "namespace") ?? metadata.namespace);
  return [
    ...(fieldOf(fields, "spec", "paused") === true ? ["it is paused"] : []),
    ...(missing
      ? [`TargetNotFound: ${textOf(target, "kind")} ${namespace}/${textOf(target, "name")} does not exist`]
      : []),
    ...complaintsOf(fields["status"]),
  ];
}

function conflictsIn(count: unknown): readonly string[] {
  if (typeof count !== "number" || count === 0) return [];
  return [`${count} object${count === 1 ? " exists" : "s exist"} with other content, and stayed so`];
}
