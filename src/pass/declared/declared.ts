import type { KubeObject } from "../../api/meta.ts";
import type { Place, Problem } from "../../base/problem.ts";
import type { FieldPath } from "../../base/yaml/yaml-node.ts";
import type { Oid } from "../../ports/git/remote.ts";
import type { Settings } from "./settings.ts";

/** What Git says at one commit, for one cluster. */
export type Declared = {
  readonly revision: Revision;
  readonly settings: Settings;
  /** The objects of our kinds that are in order, sorted by identity; the order of files does not matter. */
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
  /**
   * False when anything that might have been an object of ours could not be read or was left out: then nobody
   * can know what is no longer declared, and nothing may be pruned.
   */
  readonly complete: boolean;
  /** Something could not be had of the remote, so the same commit may tell more another time. */
  readonly again?: true;
  /** How many documents of other kinds were left alone, by kind. */
  readonly others: Readonly<Record<string, number>>;
  /** SHA-256 over all documents (content only, not files or lines): equal means that nothing was changed. */
  readonly digest: string;
};

/** `branch` is absent when a commit was asked for by its id alone. */
export type Revision = { readonly branch?: string; readonly commit: Oid };

/** One declared object and where it stands. */
export type Document = {
  readonly object: KubeObject;
  /** From the remote's root. */
  readonly path: string;
  /** 1-based line of the document's start. */
  readonly line: number;
  /** SHA-256 of the object as canonical JSON: equal for every spelling of the same content. */
  readonly digest: string;
  /** Where a field stands; for one that is not written, the nearest thing around it. */
  readonly placeOf: (field: FieldPath) => Place;
};
