import { type Clock, systemClock } from "../../base/clock.ts";
import { HoldfastError } from "../../base/errors.ts";
import { refOf } from "./branch-name.ts";
import { aborted, objectTooLarge } from "./git-errors.ts";
import { decodeCommit, isOid } from "./git-object.ts";
import { reaches, walkFirstParents } from "./history.ts";
import { HttpTransport, type RemoteCredentials } from "./http-transport.ts";
import { ObjectCache } from "./object-cache.ts";
import { ObjectSource, type Wanted } from "./object-source.ts";
import { ProcessTransport } from "./process-transport.ts";
import { pushCommit } from "./push.ts";
import type { GitCommit, Oid, Remote } from "./remote.ts";
import { parseRemoteUrl } from "./remote-url.ts";
import type { SshFiles } from "./ssh-command.ts";
import type { Deadlines, Transport } from "./transport.ts";
import { findFolder, listFiles, readTrees } from "./tree-walk.ts";
import { Wire } from "./wire.ts";

export type RemoteOptions = {
  /** `https://…`, `http://…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path. */
  readonly url: string;
  /** For HTTP; they win over those in the URL. Asked for before every request when a function. */
  readonly credentials?: RemoteCredentials | (() => Promise<RemoteCredentials>);
  /** For SSH. */
  readonly ssh?: SshFiles;
  /** Objects by id are kept below it; several processes and remotes may share it. */
  readonly cacheDirectory: string;
  /** Ends every conversation of this remote. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Longest time to connect, 15,000 by default, longest silence of the other end, 30,000, and longest exchange, 600,000. */
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
  /** A larger pack is refused; 256 MiB by default. */
  readonly maxPackBytes?: number;
  /** Of the cache on disk; 1 GiB by default. */
  readonly maxCacheBytes?: number;
  /** Gets a sentence that a person should see once, such as what a server without `filter` costs. */
  readonly onNotice?: (sentence: string) => void;
  /**
   * Of `git` and `ssh`, and where `GIT_SSH_COMMAND`, `GIT_SSL_CAINFO` and the proxies for HTTP are found; the
   * process's own by default.
   */
  readonly environment?: NodeJS.ProcessEnv;
};

const defaultBlobBytes = 2 ** 20;

/** The remote at a URL. Nothing is asked of it before the first call. */
export function openRemote(options: RemoteOptions): Remote {
  const transport = openTransport(options);
  const clock = options.clock ?? systemClock;
  const onNotice = options.onNotice ?? (() => undefined);
  const source = new ObjectSource({
    wire: new Wire(transport),
    cache: new ObjectCache({
      directory: options.cacheDirectory,
      maxBytes: options.maxCacheBytes ?? 2 ** 30,
      clock,
      onNotice,
    }),
    maxPackBytes: options.maxPackBytes ?? 256 * 2 ** 20,
    onNotice,
  });
  const bound = (signal: AbortSignal | undefined) => either(options.signal, signal);
  return {
    where: transport.where,
    tip: async (branch, signal) => source.wire.tip(refOf(branch), bound(signal)),
    originTip: async (branch, signal) =>
      source.wire.tip(refOf(branch).replace("refs/heads/", "refs/remotes/origin/"), bound(signal)),
    isClone: async (signal) => (await source.wire.refs("refs/remotes/origin/", bound(signal))).size > 0,
    commit: (oid, signal) => readCommit(source, oid, bound(signal)),
    async files(commit, folder, signal) {
      const { tree: root } = await readCommit(source, commit, bound(signal));
      const tree = await findFolder(source, { root, folder, signal: bound(signal) });
      const prefix = folder.replace(/\/+$/, "").replace(/^\.(\/|$)/, "");
      if (tree === undefined) return undefined;
      return listFiles(source, { tree, prefix: prefix && `${prefix}/`, signal: bound(signal) });
    },
    trees: async (oids, signal) => readTrees(source, [...new Set(oids.map(checked))], bound(signal)),
    blobs: (oids, given = {}) =>
      readBlobs(source, oids, { maxBytes: given.maxBytes ?? defaultBlobBytes, signal: bound(given.signal) }),
    log(from, { signal, ...rest } = {}) {
      const both = bound(signal);
      return walkFirstParents(source, checked(from), { ...rest, ...(both ? { signal: both } : {}) });
    },
    isAncestor: async (older, newer, signal) =>
      reaches(source, { older: checked(older), newer: checked(newer), signal: bound(signal) }),
    async push(request, signal) {
      const ref = refOf(request.branch);
      if (request.expect !== undefined) checked(request.expect);
      const tip = (each: AbortSignal | undefined) => source.wire.tip(ref, each);
      return pushCommit({ source, clock, tip, ref }, request, bound(signal));
    },
  };
}

function openTransport(options: RemoteOptions): Transport {
  const address = parseRemoteUrl(options.url);
  const totalMs = options.totalTimeoutMs ?? 600_000;
  const deadlines: Deadlines = {
    connectMs: options.connectTimeoutMs ?? 15_000,
    // Node.js keeps no timer of over 24 days, and nobody can be silent for longer than the whole.
    idleMs: Math.min(options.idleTimeoutMs ?? 30_000, totalMs),
    totalMs,
  };
  const environment = options.environment ?? process.env;
  const { credentials, ssh } = options;
  if (address.kind !== "http") {
    return new ProcessTransport({ address, deadlines, environment, ...(ssh ? { ssh } : {}) });
  }
  return new HttpTransport({ address, deadlines, environment, ...(credentials ? { credentials } : {}) });
}

async function readCommit(
  source: ObjectSource,
  oid: Oid,
  signal: AbortSignal | undefined,
): Promise<GitCommit> {
  return decodeCommit(checked(oid), await source.commit(oid, signal));
}

async function readBlobs(
  source: ObjectSource,
  oids: readonly Oid[],
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal | undefined },
): Promise<ReadonlyMap<Oid, Uint8Array>> {
  const ids = [...new Set(oids.map(checked))];
  const wanted: Wanted = { filter: "blob:none", maxObjectBytes: maxBytes, signal };
  await source.ensure(ids, wanted);
  const contents = new Map<Oid, Uint8Array>();
  for (const oid of ids) {
    if (signal?.aborted) throw aborted(source.wire.transport.where);
    const content = await source.content(oid, "blob", wanted);
    if (content.length > maxBytes) throw objectTooLarge(`Blob ${oid} (${content.length} bytes)`, maxBytes);
    contents.set(oid, content);
  }
  return contents;
}

/** Ids go onto the wire and into file names. */
function checked(oid: Oid): Oid {
  if (isOid(oid)) return oid;
  throw new HoldfastError("Bug", `${JSON.stringify(oid)} is no object id`, { disposition: "bug" });
}

function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}
