import type { TSchema } from "typebox";

/** The part of JSON Schema in which the nouns are written: what a structural schema of Kubernetes can say. */
export type SchemaNode = {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** False for objects with exactly their properties; a schema for maps. */
  readonly additionalProperties?: false | SchemaNode;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: "date-time" | "int32" | "int64";
  readonly minLength?: number;
  readonly minimum?: number;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  /** A whole number or a text; has no `type`. */
  readonly "x-kubernetes-int-or-string"?: true;
  readonly "x-kubernetes-list-type"?: "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
};

/** A TypeBox schema as what it says; `schema.ts` offers no builder that says more than a SchemaNode can hold. */
export function nodeOf(schema: TSchema): SchemaNode {
  return schema as SchemaNode;
}
