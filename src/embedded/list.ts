import { Buffer } from "node:buffer";
import type { JsonObject } from "../base/json.ts";
import type { Cluster } from "./cluster.ts";
import { badRequest, ExpiredList, expired } from "./failure.ts";
import { apiVersion, type Kind } from "./kinds.ts";
import { fieldSelector, labelSelector, type Selector } from "./selectors.ts";
import { isObject, listAt, numberAt, textAt, without } from "./value.ts";
import { viewed } from "./view.ts";

export type ListQuery = Readonly<Record<string, string>>;

/** A list as the API answers it, with the items still apart for other forms of answer. */
export type ListAnswer = { readonly items: readonly JsonObject[]; readonly metadata: JsonObject };

/** A continue token older than this is refused even when history would reach back. */
const tokenLifeMs = 5 * 60_000;

export function selectorOf(kind: Kind, query: ListQuery): Selector {
  const labels = labelSelector(query["labelSelector"] ?? "");
  const custom =
    kind.custom === undefined
      ? undefined
      : listAt(kind.custom.version, "selectableFields").map((field) => textAt(field, "jsonPath").slice(1));
  const fields = fieldSelector(query["fieldSelector"] ?? "", kind.resource, custom);
  return (object) => labels(object) && fields(object);
}

/**
 * Objects of a kind in one namespace or all, page by page: every page shows the state of the first one.
 * Throws 400 for what cannot be read, 410 when the state of the first page is too long ago, with a token to go on.
 */
export function listed(
  cluster: Cluster,
  kind: Kind,
  namespace: string | undefined,
  query: ListQuery,
): ListAnswer {
  const { store } = cluster;
  const selected = selectorOf(kind, query);
  const token = tokenOf(query["continue"] ?? "");
  if (token !== undefined && cluster.clock.now() - token.at > tokenLifeMs) throw tooOld(cluster, token);
  const limit = limitOf(query["limit"]);
  const revision = revisionOf(query, token, store.revision);
  const objects =
    revision === store.revision
      ? store.list(kind.resource, namespace)
      : pastState(cluster, kind, namespace, { revision, token });
  const items: JsonObject[] = [];
  let last = "";
  let left = 0;
  for (const stored of objects) {
    const key = `${textAt(stored, "metadata", "namespace")}/${textAt(stored, "metadata", "name")}`;
    if (token !== undefined && key <= token.after) continue;
    const object = viewed(kind, stored);
    if (!selected(object)) continue;
    if (limit > 0 && items.length >= limit) {
      left++;
      continue;
    }
    items.push(object);
    last = key;
  }
  const whole = (query["labelSelector"] ?? "") === "" && (query["fieldSelector"] ?? "") === "";
  return {
    items,
    metadata: {
      resourceVersion: String(revision),
      ...(left === 0 ? {} : { continue: tokenText({ revision, after: last, at: cluster.clock.now() }) }),
      ...(left === 0 || !whole ? {} : { remainingItemCount: left }),
    },
  };
}

export function listObject(kind: Kind, answer: ListAnswer): JsonObject {
  return {
    kind: kind.listKind,
    apiVersion: apiVersion(kind),
    metadata: answer.metadata,
    // Items of built-in kinds do not repeat the kind of the list.
    items:
      kind.custom === undefined
        ? answer.items.map((item) => without(item, "apiVersion", "kind"))
        : answer.items,
  };
}

function pastState(
  cluster: Cluster,
  kind: Kind,
  namespace: string | undefined,
  { revision, token }: { readonly revision: number; readonly token: Token | undefined },
): readonly JsonObject[] {
  if (revision > cluster.store.revision)
    throw expired(`Too large resource version: ${revision}, current: ${cluster.store.revision}`);
  try {
    return cluster.store.listAt(kind.resource, revision, namespace);
  } catch {
    throw tooOld(cluster, token);
  }
}

function tooOld({ clock }: Cluster, token: Token | undefined): Error {
  if (token === undefined) return expired("The resourceVersion for the provided list is too old.");
  return new ExpiredList(tokenText({ revision: atUse, after: token.after, at: clock.now() }));
}

function limitOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d+$/.test(text)) throw badRequest(`limit must be a number: ${text}`);
  return Number(text);
}

function revisionOf(query: ListQuery, token: Token | undefined, current: number): number {
  if (token !== undefined) return token.revision === atUse ? current : token.revision;
  const text = query["resourceVersion"] ?? "";
  const match = query["resourceVersionMatch"] ?? "";
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw badRequest(
      `resourceVersionMatch: Invalid value: ${JSON.stringify(match)}: use Exact or NotOlderThan`,
    );
  }
  if (text === "" || text === "0") return current;
  if (!/^\d+$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a number`);
  // Any state that is not older will do, and the newest always is at hand.
  if (match !== "Exact" && Number(text) <= current) return current;
  return Number(text);
}

/** Of a token that goes on with the objects as they are when it is used. */
const atUse = -1;

type Token = { readonly revision: number; readonly after: string; readonly at: number };

function tokenText(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function tokenOf(text: string): Token | undefined {
  if (text === "") return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const revision = numberAt(value, "revision");
    const at = numberAt(value, "at");
    if (isObject(value) && revision !== undefined && at !== undefined) {
      return { revision, after: textAt(value, "after"), at };
    }
  } catch {
    // Said below, like any other token that is not ours.
  }
  throw badRequest("continue key is not valid: start the list again without it");
}
