import { setImmediate } from "node:timers/promises";
import { HoldfastError } from "../../base/errors.ts";
import { aborted, malformed, objectMissing } from "./git-errors.ts";
import { decodeCommit, type GitObject, type ObjectType } from "./git-object.ts";
import type { ObjectCache } from "./object-cache.ts";
import { readPack } from "./pack.ts";
import type { Oid } from "./remote.ts";
import { decodeTree, emptyTree, type TreeEntry } from "./tree.ts";
import type { Wire } from "./wire.ts";

export type ObjectSourceOptions = {
  readonly wire: Wire;
  readonly cache: ObjectCache;
  readonly maxPackBytes: number;
  readonly onNotice: (sentence: string) => void;
};

export type Wanted = {
  readonly filter: "tree:0" | "blob:none";
  readonly deepen?: number;
  /** Of one object; without it only the pack's own limit holds. */
  readonly maxObjectBytes?: number;
  readonly signal?: AbortSignal | undefined;
};

/** Commits that came in one reply, with their parents. */
export type Commits = ReadonlyMap<Oid, readonly Oid[]>;

/** Bytes of objects that are taken out of a pack before they are written. */
const batchLimit = 16 * 2 ** 20;
const wantsPerRequest = 2_000;
const commitsKept = 4;
/** Cache and packs are worked on without a pause: whoever else runs in this process gets a turn now and then. */
const objectsPerTurn = 500;
/** How far one looks for `older` where the server says that there is no way, which clocks that were wrong can cause. */
const doubtfulCommits = 1_024;

/**
 * Objects by id: from the cache, otherwise from the remote, lazily where it offers `filter`. Without `filter` a
 * commit comes whole, one commit deep, and later ones as what is new since then.
 */
export class ObjectSource {
  readonly wire: Wire;
  readonly #cache: ObjectCache;
  readonly #maxPackBytes: number;
  readonly #onNotice: (sentence: string) => void;
  /** Commits asked for last: where an object may be found that the server does not give by its id. */
  readonly #commits = new Set<Oid>();
  /** Commits fetched whole in search of an object: searching them again is useless. */
  readonly #searched = new Set<Oid>();
  #noticed = false;

  constructor({ wire, cache, maxPackBytes, onNotice }: ObjectSourceOptions) {
    this.wire = wire;
    this.#cache = cache;
    this.#maxPackBytes = maxPackBytes;
    this.#onNotice = onNotice;
  }

  cached(oid: Oid): GitObject | undefined {
    return this.#cache.get(oid);
  }

  keep(objects: ReadonlyMap<Oid, GitObject>): void {
    this.#cache.put(objects);
  }

  commit(oid: Oid, signal: AbortSignal | undefined): Promise<Buffer> {
    this.#commits.delete(oid);
    this.#commits.add(oid);
    for (const oldest of this.#commits) {
      if (this.#commits.size <= commitsKept) break;
      this.#commits.delete(oldest);
    }
    return this.content(oid, "commit", { filter: "tree:0", deepen: 1, signal });
  }

  async tree(oid: Oid, signal: AbortSignal | undefined): Promise<readonly TreeEntry[]> {
    if (oid === emptyTree) return [];
    return decodeTree(oid, await this.content(oid, "tree", { filter: "tree:0", signal }));
  }

  /** One object's content. What another process swept away, or a disk spoilt, is fetched again, once. */
  async content(oid: Oid, type: ObjectType, wanted: Wanted): Promise<Buffer> {
    for (let tries = 0; tries < 3; tries++) {
      const object = this.#cache.get(oid);
      if (object?.type === type) return object.content;
      if (object) throw malformed(`Object ${oid} is a ${object.type}, not a ${type}`);
      await this.ensure([oid], wanted);
    }
    throw objectMissing(this.wire.transport.where, oid, "it vanishes from the object cache");
  }

  /** Brings every object of `oids` into the cache, or says which one cannot be had. */
  async ensure(oids: readonly Oid[], wanted: Wanted): Promise<void> {
    const missing = await this.missing(oids);
    const absent: Oid[] = [];
    for (let at = 0; at < missing.length; at += wantsPerRequest) {
      if (wanted.signal?.aborted) throw aborted(this.wire.transport.where);
      const part = missing.slice(at, at + wantsPerRequest);
      const came = await this.#bring(part, wanted);
      absent.push(...part.filter((oid) => !came.has(oid)));
    }
    let left: readonly Oid[] = absent;
    for (const commit of [...this.#commits].reverse()) {
      if (left.length === 0) return;
      if (this.#searched.has(commit)) continue;
      const came = await this.#search(commit, wanted.signal);
      const found = left.filter((oid) => !came.has(oid));
      if (found.length < left.length) this.#notice("does not give single objects by id");
      left = found;
    }
    const [first] = left;
    if (first !== undefined) throw objectMissing(this.wire.transport.where, first);
  }

  /**
   * The commits that `newer` reaches and `older` does not, in one request where the server sees a way from one to
   * the other; undefined where there is none. Commits before `older`, however many, are never sent.
   */
  async commitsSince(newer: Oid, older: Oid, signal: AbortSignal | undefined): Promise<Commits | undefined> {
    const filter = (await this.wire.offersFilter(signal)) ? ({ filter: "tree:0" } as const) : {};
    const maxReplyBytes = this.#maxPackBytes;
    const news = await this.wire.fetchNews({ want: newer, have: older, ...filter, maxReplyBytes, signal });
    if (news.kind === "refused") throw objectMissing(this.wire.transport.where, newer, news.words);
    if (news.kind === "pack") {
      const { commits } = await this.#unpack(news.pack, {}, signal);
      this.#keepWhole(newer, older, filter);
      return commits;
    }
    // Whoever has `newer` has all that leads to it.
    if (!news.isKnown) return undefined;
    return this.#doubtful(newer, older, { ...filter, maxReplyBytes, signal });
  }

  /**
   * The server knows `older` and sees no way to it, by the dates of the commits. Dates can be wrong, so that the
   * newest commits are looked at as well.
   */
  async #doubtful(
    newer: Oid,
    older: Oid,
    how: { filter?: "tree:0"; maxReplyBytes: number; signal: AbortSignal | undefined },
  ): Promise<Commits | undefined> {
    try {
      const reply = await this.wire.fetch({
        wants: [newer],
        have: older,
        deepen: doubtfulCommits,
        ...how,
      });
      if (reply.kind === "refused") throw objectMissing(this.wire.transport.where, newer, reply.words);
      return (await this.#unpack(reply.pack, {}, how.signal)).commits;
    } catch (error) {
      if (error instanceof HoldfastError && error.reason === "ObjectTooLarge") return undefined;
      throw error;
    }
  }

  async missing(oids: readonly Oid[]): Promise<readonly Oid[]> {
    const absent: Oid[] = [];
    let looked = 0;
    for (const oid of new Set(oids)) {
      if (++looked % objectsPerTurn === 0) await setImmediate();
      if (oid !== emptyTree && !this.#cache.get(oid)) absent.push(oid);
    }
    return absent;
  }

  /** Answers the ids that came. */
  async #bring(oids: readonly Oid[], wanted: Wanted): Promise<ReadonlySet<Oid>> {
    if (await this.wire.offersFilter(wanted.signal)) return this.#receive(oids, wanted);
    this.#notice("does not offer `filter`");
    const { filter: _, ...plain } = wanted;
    const [commit] = oids;
    if (commit !== undefined && wanted.deepen === 1) return this.#bringWhole(commit, wanted.signal);
    return this.#receive(oids, plain);
  }

  /** A commit with everything in it: what is new since the one before it, where there is one. */
  async #bringWhole(commit: Oid, signal: AbortSignal | undefined): Promise<ReadonlySet<Oid>> {
    const { where } = this.wire.transport;
    const since = this.#cache.lastWhole(where);
    if (since !== undefined && since !== commit) {
      const maxReplyBytes = this.#maxPackBytes;
      const news = await this.wire.fetchNews({ want: commit, have: since, maxReplyBytes, signal });
      if (news.kind === "pack") {
        const { oids } = await this.#unpack(news.pack, {}, signal);
        this.#keepWhole(commit, since, {});
        return oids;
      }
    }
    const came = await this.#receive([commit], { deepen: 1, signal });
    if (came.has(commit)) this.#cache.keepWhole(where, commit);
    return came;
  }

  /** What is new since a commit that is here whole makes the newer one whole. */
  #keepWhole(newer: Oid, older: Oid, { filter }: { readonly filter?: string }): void {
    const { where } = this.wire.transport;
    if (filter === undefined && this.#cache.lastWhole(where) === older) this.#cache.keepWhole(where, newer);
  }

  /** Everything of one commit, whatever is here already. */
  async #search(commit: Oid, signal: AbortSignal | undefined): Promise<ReadonlySet<Oid>> {
    const came = await this.#receive([commit], { deepen: 1, signal });
    this.#searched.add(commit);
    return came;
  }

  async #receive(wants: readonly Oid[], wanted: Partial<Wanted>): Promise<ReadonlySet<Oid>> {
    const { maxObjectBytes = this.#maxPackBytes, signal, ...rest } = wanted;
    const maxReplyBytes = Math.min(this.#maxPackBytes, 2 ** 20 + wants.length * (maxObjectBytes + 4_096));
    const reply = await this.wire.fetch({ ...rest, wants, maxReplyBytes, signal });
    if (reply.kind === "refused") return new Set();
    return (await this.#unpack(reply.pack, { maxObjectBytes }, signal)).oids;
  }

  async #unpack(
    pack: Buffer,
    { maxObjectBytes = this.#maxPackBytes }: { readonly maxObjectBytes?: number },
    signal: AbortSignal | undefined,
  ): Promise<{ readonly oids: ReadonlySet<Oid>; readonly commits: Commits }> {
    const oids = new Set<Oid>();
    const commits = new Map<Oid, readonly Oid[]>();
    const batch = new Map<Oid, GitObject>();
    let batchBytes = 0;
    for (const { oid, type, content } of readPack(pack, maxObjectBytes)) {
      batch.set(oid, { type, content });
      batchBytes += content.length;
      oids.add(oid);
      if (type === "commit") commits.set(oid, decodeCommit(oid, content).parents);
      if (batchBytes > batchLimit) {
        this.#cache.put(batch);
        batch.clear();
        batchBytes = 0;
      }
      if (oids.size % objectsPerTurn > 0) continue;
      await setImmediate();
      if (signal?.aborted) throw aborted(this.wire.transport.where);
    }
    this.#cache.put(batch);
    return { oids, commits };
  }

  #notice(what: string): void {
    if (this.#noticed) return;
    this.#noticed = true;
    this.#onNotice(
      `The remote ${this.wire.transport.where} ${what}: whole commits are fetched, which costs time and memory in ` +
        "proportion to the files in them. Setting `uploadpack.allowFilter` to true on the server cures it.",
    );
  }
}
