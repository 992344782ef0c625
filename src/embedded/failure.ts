import type { Json, JsonObject } from "../base/json.ts";

export type Cause = { readonly reason: string; readonly message: string; readonly field: string };

type FailureDetails = {
  readonly name?: string;
  readonly group?: string;
  /** The resource (plural) or the kind, as the real server has it for each reason. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
};

/** What Kubernetes answers instead of an object: HTTP code and a `Status`. */
export class Failure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: FailureDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: FailureDetails) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object. */
  toStatus(): JsonObject {
    const details: Record<string, Json> = {};
    const { causes, ...rest } = this.details ?? {};
    for (const [field, value] of Object.entries(rest)) if (value !== "") details[field] = value;
    if (causes !== undefined) details["causes"] = causes.map((cause) => ({ ...cause }));
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details }),
      code: this.code,
    };
  }
}

/** A list whose first page is too long ago, with the token of what is left of it as it is now. */
export class ExpiredList extends Failure {
  readonly #token: string;

  constructor(token: string) {
    super(
      410,
      "Expired",
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    this.#token = token;
  }

  override toStatus(): JsonObject {
    return { ...super.toStatus(), metadata: { continue: this.#token } };
  }
}

type Names = { readonly group: string; readonly plural: string; readonly kind: string };

function qualified(names: Names): string {
  return names.group === "" ? names.plural : `${names.plural}.${names.group}`;
}

export function notFound(names: Names, name: string): Failure {
  return new Failure(404, "NotFound", `${qualified(names)} "${name}" not found`, {
    name,
    group: names.group,
    kind: names.plural,
  });
}

/** No kind and no name: over HTTP a bare text, by which clients tell it from an object that is not there. */
export class NoSuchPath extends Failure {
  readonly text = "404 page not found\n";
}

export function noSuchPath(): Failure {
  return new NoSuchPath(404, "NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(names: Names, name: string): Failure {
  return new Failure(409, "AlreadyExists", `${qualified(names)} "${name}" already exists`, {
    name,
    group: names.group,
    kind: names.plural,
  });
}

export function conflict(names: Names, name: string, why: string): Failure {
  return new Failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(names)} "${name}": ${why}`,
    {
      name,
      group: names.group,
      kind: names.plural,
    },
  );
}

export const modifiedMeanwhile =
  "the object has been modified; please apply your changes to the latest version and try again";

export function invalid(names: Names, name: string, causes: readonly Cause[]): Failure {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  const kind = names.group === "" ? names.kind : `${names.kind}.${names.group}`;
  return new Failure(422, "Invalid", `${kind} "${name}" is invalid: ${text}`, {
    name,
    group: names.group,
    kind: names.kind,
    causes,
  });
}

export function badRequest(message: string): Failure {
  return new Failure(400, "BadRequest", message);
}

export function forbidden(names: Names, name: string, why: string, causes?: readonly Cause[]): Failure {
  return new Failure(403, "Forbidden", `${qualified(names)} "${name}" is forbidden: ${why}`, {
    name,
    group: names.group,
    kind: names.plural,
    ...(causes === undefined ? {} : { causes }),
  });
}

export function expired(message: string): Failure {
  return new Failure(410, "Expired", message);
}

export function methodNotAllowed(): Failure {
  return new Failure(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );
}

/** The state cannot be written: the disk is full, or broken. */
export function notStored(path: string, why: string): Failure {
  return new Failure(
    507,
    "InsufficientStorage",
    `${path} cannot be written (${why}), so nothing was changed: make room there and try again`,
  );
}

/** What the embedded cluster does not do, refused by name with what to do instead. */
export function notDone(what: string, instead: string): Failure {
  return new Failure(501, "NotImplemented", `the embedded cluster does not do ${what}: ${instead}`);
}
