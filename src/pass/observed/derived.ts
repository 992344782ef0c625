import type { KubeObject } from "../../api/meta.ts";

/** Pure: of the object as it is, in one cluster. */
type Work<Result> = (object: KubeObject, clusterUid: string) => Result;

/**
 * What was worked out of observed objects, kept as long as they are: most of what a pass costs that changes nothing
 * is to check and to write out again what it has seen before.
 */
export class Derived {
  readonly #clusterUid: string;
  readonly #results = new WeakMap<KubeObject, Map<Work<unknown>, unknown>>();

  constructor(clusterUid: string) {
    this.#clusterUid = clusterUid;
  }

  isOf(clusterUid: string): boolean {
    return clusterUid === this.#clusterUid;
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
