import type { KubeObject } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";

/** Pure: of the object as it is, in one cluster. */
type Work<Result> = (object: KubeObject, clusterUid: string) => Result;

/**
 * What was worked out of observed objects, kept as long as they are: most of what a pass costs that changes nothing
 * is to check and to write out again what it has seen before.
 */
export class Derived {
  readonly #clusterUid: string;
  readonly #results = new WeakMap<KubeObject, Map<Work<unknown>, unknown>>();

  readonly #made = new WeakMap<KubeObject, KubeObject>();

  constructor(clusterUid: string) {
    this.#clusterUid = clusterUid;
  }

  isOf(clusterUid: string): boolean {
    return clusterUid === this.#clusterUid;
  }

  /** What was made of an object and others: the very one of before while it is equal, so that what was derived of it holds. */
  asMadeBefore(object: KubeObject, made: KubeObject): KubeObject {
    const before = this.#made.get(object);
    if (before !== undefined && sameJson(before, made)) return before;
    this.#made.set(object, made);
    return made;
  }

  of<Result>(object: KubeObject, work: Work<Result>): Result {
    const known = this.#results.get(object) ?? new Map<Work<unknown>, unknown>();
    // A result under a work's key was made by that work.
    if (known.has(work)) return known.get(work) as Result;
    const result = work(object, this.#clusterUid);
    known.set(work, result);
    this.#results.set(object, known);
    return result;
  }
}
