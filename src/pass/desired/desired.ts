import type { KubeObject } from "../../api/meta.ts";
import type { Place, Problem } from "../../base/problem.ts";

/** A declared object, resolved and defaulted, with the annotations that tie it to its file. */
export type DesiredObject = {
  readonly object: KubeObject;
  readonly place: Place;
  /** SHA-256 of the object as it is applied; tells a changed declaration from drift. */
  readonly digest: string;
};

export type Desired = {
  readonly cluster: string;
  /** The declared commit. */
  readonly revision: string;
  /** By `keyOf`. */
  readonly objects: ReadonlyMap<string, DesiredObject>;
  /** False when a document could not be read: nothing is pruned in this pass. */
  readonly complete: boolean;
  readonly problems: readonly Problem[];
};
