import { noSuchPath } from "./failure.ts";
import type { Kind, Kinds } from "./kinds.ts";

/** What the path of a resource names. `namespace` is undefined for all namespaces and cluster-scoped kinds. */
export type ResourcePath = {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string;
  /** Of the old form `/api/v1/watch/…`. */
  readonly watch: boolean;
};

const namespacesOwn = new Set(["status", "finalize"]);

/** Reads `/api/v1/…` and `/apis/<group>/<version>/…`. Throws 404. */
export function resourcePath(kinds: Kinds, segments: readonly string[]): ResourcePath {
  const core = segments[0] === "api";
  const group = core ? "" : (segments[1] ?? "");
  const version = (core ? segments[1] : segments[2]) ?? "";
  const given = segments.slice(core ? 2 : 3);
  const watch = given[0] === "watch";
  const rest = watch ? given.slice(1) : given;
  const within = rest[0] === "namespaces" && rest.length >= 3 && !namespacesOwn.has(rest[2] ?? "");
  const [plural = "", name = "", subresource = "", more] = within ? rest.slice(2) : rest;
  const kind = kinds.find(group, version, plural);
  if (kind === undefined || more !== undefined) throw noSuchPath();
  if (within && !kind.namespaced) throw noSuchPath();
  // One object of a namespaced kind is named with its namespace.
  if (name !== "" && kind.namespaced && !within) throw noSuchPath();
  return { kind, namespace: within ? rest[1] : undefined, name, subresource, watch };
}
