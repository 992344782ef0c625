import { flag, object, optional, type TypeOf, text } from "./schema.ts";

export type ObjectReference = TypeOf<ReturnType<typeof objectReference>>;
export type TypedObjectReference = TypeOf<ReturnType<typeof typedObjectReference>>;

export function objectReference(description: string) {
  return object(
    {
      name: text("Name of the object."),
      namespace: optional(text("Namespace of the object; the referrer's own when absent.")),
    },
    description,
  );
}

const typedFields = {
  apiGroup: optional(text("API group; empty for the core group.")),
  kind: optional(text("Kind of the object.")),
  namespace: optional(text("Namespace of the object; the referrer's own when absent.")),
  name: text("Name of the object."),
};

export function typedObjectReference(description: string) {
  return object(typedFields, description);
}

/** A dependency together with whether it is there. */
export function foundReference(description: string) {
  return object({ ...typedFields, found: optional(flag("Whether the object exists.")) }, description);
}
