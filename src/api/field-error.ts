import type { ObjectRef } from "./meta.ts";

/** Something that is wrong with a field of an object. */
export type FieldError = {
  /** From the object's root: `["spec", "sessions", 0, "addon"]`. */
  readonly path: readonly (string | number)[];
  /** One sentence without the path. */
  readonly message: string;
  /** A warning names what will not be done; an error keeps the object from being used. */
  readonly severity: "error" | "warning";
  /** CamelCase and stable. */
  readonly reason:
    | "Invalid"
    | "Required"
    | "UnknownField"
    | "NotSupportedYet"
    | "Immutable"
    | "Conflict"
    | "Refused";
  /** What to do, one imperative sentence. */
  readonly next?: string;
  /** The object that it does not go with. */
  readonly other?: ObjectRef;
};

export type FieldPath = FieldError["path"];

export function invalid(path: FieldPath, message: string, next?: string): FieldError {
  return withNext({ path, message, severity: "error", reason: "Invalid" }, next);
}

export function required(path: FieldPath, message: string, next?: string): FieldError {
  return withNext({ path, message, severity: "error", reason: "Required" }, next);
}

export function failure(
  reason: FieldError["reason"],
  path: FieldPath,
  message: string,
  next?: string,
): FieldError {
  return withNext({ path, message, severity: "error", reason }, next);
}

function withNext(error: FieldError, next: string | undefined): FieldError {
  return next === undefined ? error : { ...error, next };
}

/** `spec.sessions[0].addon: it is wrong`, and the message alone where it is about the whole object. */
export function errorText({ path, message }: Pick<FieldError, "path" | "message">): string {
  return path.length === 0 ? message : `${pathText(path)}: ${message}`;
}

/** `spec.sessions[0].addon` */
export function pathText(path: FieldPath): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}
