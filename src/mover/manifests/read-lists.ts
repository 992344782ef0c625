import type { KubeObject } from "../../api/meta.ts";
import { messageOf } from "../../base/errors.ts";
import type { Kube, ObjectName } from "../../ports/kube/kube.ts";
import { isKubeError, KubeError, wasNeverSent } from "../../ports/kube/kube-error.ts";
import type { ManifestList } from "./lists-for.ts";
import { groupResourceName } from "./manifest-filter.ts";

/** How often a list is begun before its parts may be of different moments. */
const listAttempts = 3;

export type ReadingEvent = { readonly list: ManifestList } & (
  | { readonly kind: "page"; readonly items: readonly KubeObject[] }
  /** The list begins again, so that what came of it must go. */
  | { readonly kind: "afresh" }
  /** A part that could not be read, with the reason. */
  | { readonly kind: "missing"; readonly part: string }
  | { readonly kind: "note"; readonly line: string }
);

export type Reading = {
  readonly kube: Kube;
  readonly lists: readonly ManifestList[];
  readonly labelSelector: string | undefined;
  readonly signal: AbortSignal;
};

/**
 * Reads one list after the other, page by page. One that cannot be read is a missing part and does not stop the
 * others. Throws when the API server itself cannot be asked: nobody listens, it does not know this account, or it
 * leaves two lists of different groups in a row without an answer.
 */
export async function* readLists(reading: Reading): AsyncGenerator<ReadingEvent> {
  let silent: string | undefined;
  for (const list of reading.lists) {
    reading.signal.throwIfAborted();
    const unanswered = yield* readList(reading, list);
    const { group } = list.type;
    if (unanswered !== undefined && silent !== undefined && silent !== group) throw unanswered;
    silent = unanswered === undefined ? undefined : group;
  }
}

/** Returns the error of a list that was not answered at all. */
async function* readList(
  reading: Reading,
  list: ManifestList,
): AsyncGenerator<ReadingEvent, KubeError | undefined> {
  const where = nameOfList(list);
  let from: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    let pages = 0;
    try {
      for await (const event of readPages(reading, list, from)) {
        if (event.kind === "page") pages += 1;
        yield event;
      }
      return undefined;
    } catch (thrown) {
      if (reading.signal.aborted || !isOfOneList(thrown)) throw thrown;
      if (isKubeError(thrown, 403) && pages === 0 && list.instead.length > 0) {
        return yield* readInstead(reading, list);
      }
      if (isKubeError(thrown, 410) && attempt < listAttempts) {
        yield { kind: "afresh", list };
        continue;
      }
      // A token that brings nothing would be asked for again and again.
      if (isKubeError(thrown, 410) && thrown.continueToken !== undefined && pages > 0) {
        if (from === undefined) yield { kind: "note", list, line: `${where}: ${laterWords}` };
        from = thrown.continueToken;
        continue;
      }
      yield { kind: "missing", list, part: `${where}: ${messageOf(thrown)}` };
      return thrown.code === 0 ? thrown : undefined;
    }
  }
}

const laterWords =
  "takes longer to list than the API server keeps one moment of it, so that its parts are of different moments";

async function* readInstead(
  reading: Reading,
  list: ManifestList,
): AsyncGenerator<ReadingEvent, KubeError | undefined> {
  let unanswered: KubeError | undefined;
  for (const one of list.instead) unanswered = yield* readList(reading, one);
  return unanswered;
}

async function* readPages(
  { kube, labelSelector, signal }: Reading,
  list: ManifestList,
  continueToken: string | undefined,
): AsyncGenerator<ReadingEvent> {
  const { type, namespace } = list;
  const tooLarge: ObjectName[] = [];
  const pages = kube.list(type, {
    signal,
    onTooLarge: (name) => tooLarge.push(name),
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(continueToken === undefined ? {} : { continueToken }),
  });
  for await (const { items } of pages) {
    yield { kind: "page", list, items };
    for (const { namespace: its = "", name } of tooLarge.splice(0)) {
      yield { kind: "missing", list, part: `${type.kind} ${its}/${name}: too large to be read` };
    }
  }
}

/** An error that the next list need not have. */
function isOfOneList(thrown: unknown): thrown is KubeError {
  if (!(thrown instanceof KubeError) || thrown.code === 401 || wasNeverSent(thrown)) return false;
  return (
    thrown.code !== 0 || thrown.reason === "ApiServerTimeout" || thrown.reason === "ApiServerUnreachable"
  );
}

/** `deployments.apps in namespace shop` */
export function nameOfList({ type, namespace }: ManifestList): string {
  return `${groupResourceName(type)}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;
}
