import type { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { Json, JsonObject } from "../base/json.ts";
import type { ApiEvent } from "./api.ts";
import type { User } from "./tokens.ts";

/** A request after its transport: in the same process or over HTTP, the same from here on. */
export type Call = {
  readonly method: string;
  /** Segments of the path, decoded. */
  readonly segments: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON or YAML; undefined when there is no body. */
  readonly body: unknown;
  /** Fields that stand twice in the text of the body. */
  duplicates(): readonly string[];
  /** Media type of the body without parameters. */
  readonly contentType: string;
  readonly accept: string;
  readonly userAgent: string;
  readonly user: User;
  /** When it came in, milliseconds since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
};

export type Answer =
  | {
      readonly kind: "json";
      readonly status: number;
      readonly body: Json;
      readonly warnings: readonly string[];
      /** Of documents that are not plain `application/json`. */
      readonly contentType?: string;
    }
  | { readonly kind: "text"; readonly status: number; readonly text: string }
  | { readonly kind: "bytes"; readonly contentType: string; readonly bytes: Buffer }
  | { readonly kind: "stream"; readonly stream: Readable }
  | { readonly kind: "events"; readonly events: AsyncGenerator<ApiEvent> };

export function json(status: number, body: JsonObject, warnings: readonly string[] = []): Answer {
  return { kind: "json", status, body, warnings };
}
