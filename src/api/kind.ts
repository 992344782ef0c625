import type { TSchema } from "typebox";
import type { ConditionType } from "./condition-types.ts";
import type { KubeObject, ObjectMeta, Resource } from "./meta.ts";
import type { TypeOf } from "./schema.ts";

/** A column of `kubectl get`. */
export type Column = {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
};

/** Everything that is known about a kind of KubeStash's API; CRDs, schemas and pages are made from it. */
export type KindDefinition = {
  readonly resource: Resource;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly Column[];
  readonly spec: TSchema;
  readonly status: TSchema | undefined;
  /** What the kind is for, one sentence each. */
  readonly intro: readonly string[];
  /** The rules by which status.phase comes about, in the order in which they are tried. */
  readonly phases: readonly { readonly says: string }[];
  readonly conditions: readonly ConditionType[];
  readonly example: KubeObject;
};

/** An object of a kind with a status. */
export type ObjectOf<Spec extends TSchema, Status extends TSchema> = Plain<Spec> & {
  readonly status?: TypeOf<Status>;
};

/** An object of a kind without one. */
export type Plain<Spec extends TSchema> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: TypeOf<Spec>;
};

export const groups = {
  storage: "storage.kubestash.com",
  core: "core.kubestash.com",
  addons: "addons.kubestash.com",
} as const;

const version = "v1alpha1";

export function namespacedKind(group: keyof typeof groups, kind: string, plural: string): Resource {
  return { group: groups[group], version, kind, plural, namespaced: true };
}

export function clusterKind(group: keyof typeof groups, kind: string, plural: string): Resource {
  return { group: groups[group], version, kind, plural, namespaced: false };
}

export const allCategories = ["kubestash", "appscode", "all"] as const;
/** For kinds of which there are many, so that `kubectl get all` stays short. */
export const ownCategories = ["kubestash", "appscode"] as const;

export const ageColumn: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

export function column(name: string, jsonPath: string, type: Column["type"] = "string"): Column {
  return { name, type, jsonPath };
}
