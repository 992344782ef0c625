import { HoldfastError } from "../../base/errors.ts";
import { aborted, malformed, objectMissing } from "./git-errors.ts";
import type { GitObject, ObjectType } from "./git-object.ts";
import type { ObjectCache } from "./object-cache.ts";
import { type PackedObject, readPack } from "./pack.ts";
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
  readonly have?: Oid;
  /** Of one object; without it only the pack's own limit holds. */
  readonly maxObjectBytes?: number;
  readonly signal?: AbortSignal | undefined;
};

const wantsPerRequest = 2_000;
const commitsKept = 4;
const filesAtOnce = 64;

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

  cached(oid: Oid): Promise<GitObject | undefined> {
    return this.#cache.get(oid);
  }

  keep(oid: Oid, object: GitObject): Promise<void> {
    return this.#cache.put(oid, object);
  }

  async commit(oid: Oid, signal: AbortSignal | undefined): Promise<Buffer> {
    this.#commits.delete(oid);
    this.#commits.add(oid);
    for (const oldest of this.#commits) {
      if (this.#commits.size <= commitsKept) break;
      this.#commits.delete(oldest);
    }
    await this.ensure([oid], { filter: "tree:0", deepen: 1, signal });
    return this.#content(oid, "commit");
  }

  async tree(oid: Oid, signal: AbortSignal | undefined): Promise<readonly TreeEntry[]> {
    if (oid === emptyTree) return [];
    await this.ensure([oid], { filter: "tree:0", signal });
    return decodeTree(oid, await this.#content(oid, "tree"));
  }

  async blob(oid: Oid): Promise<Buffer> {
    return this.#content(oid, "blob");
  }

  async #content(oid: Oid, type: ObjectType): Promise<Buffer> {
    const object = await this.#cache.get(oid);
    if (!object) throw objectMissing(this.wire.transport.where, oid, "it vanished from the object cache");
    if (object.type !== type) throw malformed(`Object ${oid} is a ${object.type}, not a ${type}`);
    return object.content;
  }

  /** Brings every object of `oids` into the cache, or says which one cannot be had. */
  async ensure(oids: readonly Oid[], wanted: Wanted): Promise<void> {
    let missing = await this.missing(oids);
    for (let at = 0; at < missing.length; at += wantsPerRequest) {
      if (wanted.signal?.aborted) throw aborted(this.wire.transport.where);
      await this.#bring(missing.slice(at, at + wantsPerRequest), wanted);
    }
    missing = await this.missing(missing);
    for (const commit of [...this.#commits].reverse()) {
      if (missing.length === 0) return;
      if (!this.#searched.has(commit)) await this.#search(commit, wanted.signal);
      const left = await this.missing(missing);
      if (left.length < missing.length) this.#notice("does not give single objects by id");
      missing = left;
    }
    const [first] = missing;
    if (first !== undefined) throw objectMissing(this.wire.transport.where, first);
  }

  /**
   * Brings the commits from `newer` back to `older`, one request; without `older`, or where `newer` does not
   * reach it, back to the root.
   */
  async bringSince(newer: Oid, older: Oid | undefined, signal: AbortSignal | undefined): Promise<void> {
    const filter = (await this.wire.offersFilter(signal)) ? ({ filter: "tree:0" } as const) : {};
    const given = await this.#receive([newer], {
      ...filter,
      ...(older === undefined ? {} : { have: older }),
      signal,
    });
    if (!given) throw objectMissing(this.wire.transport.where, newer);
  }

  async missing(oids: readonly Oid[]): Promise<readonly Oid[]> {
    const wanted = [...new Set(oids)].filter((oid) => oid !== emptyTree);
    const absent: Oid[] = [];
    for (let at = 0; at < wanted.length; at += filesAtOnce) {
      const batch = wanted.slice(at, at + filesAtOnce);
      const found = await Promise.all(batch.map((oid) => this.#cache.get(oid)));
      absent.push(...batch.filter((_, n) => !found[n]));
    }
    return absent;
  }

  async #bring(oids: readonly Oid[], wanted: Wanted): Promise<void> {
    if (await this.wire.offersFilter(wanted.signal)) {
      await this.#receive(oids, wanted);
      return;
    }
    this.#notice("does not offer `filter`");
    const { filter: _, ...plain } = wanted;
    const [commit] = oids;
    if (commit !== undefined && wanted.deepen === 1) await this.#bringWhole(commit, plain);
    else await this.#receive(oids, plain);
  }

  /** A commit with everything in it: what is new since the one before it, where there is one. */
  async #bringWhole(commit: Oid, { signal }: Partial<Wanted>): Promise<void> {
    const { where } = this.wire.transport;
    const since = await this.#cache.lastWhole(where);
    const complete =
      (since !== undefined && since !== commit && (await this.#receiveSince(commit, since, signal))) ||
      (await this.#receive([commit], { deepen: 1, signal }));
    if (complete) await this.#cache.keepWhole(where, commit);
  }

  /** False where that is refused, or is too much: a rewritten history would bring all of it. */
  async #receiveSince(commit: Oid, since: Oid, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return await this.#receive([commit], { have: since, signal });
    } catch (error) {
      if (error instanceof HoldfastError && error.reason === "ObjectTooLarge") return false;
      throw error;
    }
  }

  /** Everything of one commit, whatever is here already. */
  async #search(commit: Oid, signal: AbortSignal | undefined): Promise<void> {
    await this.#receive([commit], { deepen: 1, signal });
    this.#searched.add(commit);
  }

  async #receive(wants: readonly Oid[], wanted: Partial<Wanted>): Promise<boolean> {
    const { maxObjectBytes = this.#maxPackBytes, signal, ...rest } = wanted;
    const maxReplyBytes = Math.min(this.#maxPackBytes, 2 ** 20 + wants.length * (maxObjectBytes + 4_096));
    const reply = await this.wire.fetch({ ...rest, wants, maxReplyBytes, signal });
    if (reply.kind === "refused") return false;
    let batch: PackedObject[] = [];
    for (const object of readPack(reply.pack, maxObjectBytes)) {
      batch.push(object);
      if (batch.length < filesAtOnce) continue;
      await this.#keepAll(batch);
      batch = [];
      if (signal?.aborted) throw aborted(this.wire.transport.where);
    }
    await this.#keepAll(batch);
    return true;
  }

  async #keepAll(objects: readonly PackedObject[]): Promise<void> {
    await Promise.all(objects.map(({ oid, type, content }) => this.#cache.put(oid, { type, content })));
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
