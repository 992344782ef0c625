/** A restore's entry at the record's tip, as far as the plan needs it. */
export type RestoreEntry = {
  readonly phase: string;
  /** Digest of the spec that was claimed. */
  readonly specDigest: string;
  readonly clusterUid: string;
  /** Of the object that was claimed; undefined in an entry that does not say. */
  readonly uid: string | undefined;
  /** The run of Holdfast that claimed it; only that one may start the Job. */
  readonly holder: string;
  readonly claimedAtMs: number;
  /** The whole status as recorded, once it is final. */
  readonly status: Readonly<Record<string, unknown>>;
  readonly commit: string;
};

/** What the record's tip says about this cluster. */
export interface Recorded {
  /** Undefined when the branch does not exist yet. */
  readonly tip: string | undefined;
  restore(namespace: string, name: string): RestoreEntry | undefined;
  /** Id of the entry's blob at the tip. */
  entry(path: string): string | undefined;
  /** Whether the entry at the tip has exactly this content. */
  holds(path: string, content: Readonly<Record<string, unknown>>): boolean;
  /** Paths of this cluster's entries at the tip. */
  paths(): readonly string[];
}
