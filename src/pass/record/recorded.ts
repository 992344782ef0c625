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
  /**
   * Of one that cannot be read: why, and where to look. Its phase is then `Unreadable`, and nothing else is known:
   * it never counts as absent, and is never written over.
   */
  readonly unreadable?: string;
};

/** What a pass asks the record for, so that reading it costs nothing for what is in it besides. */
export type RecordInterest = {
  /** Entries that may be compared, written or claimed. */
  readonly paths: ReadonlySet<string>;
  /** `daysFolder` of each parent whose gone sessions or Snapshots leave the tip. */
  readonly parents: ReadonlySet<string>;
};

/** What the record's tip says about this cluster, as far as it was asked for. */
export interface Recorded {
  /** Undefined when the branch does not exist yet. */
  readonly tip: string | undefined;
  restore(namespace: string, name: string): RestoreEntry | undefined;
  /** Id at the tip: of the entry's content, or of a day's folder. */
  entry(path: string): string | undefined;
  /** Whether the entry at the tip has exactly this content. */
  holds(path: string, content: Readonly<Record<string, unknown>>): boolean;
  /** Paths of entries at the tip: all that stand in a folder with one that was asked for. */
  paths(): readonly string[];
  /** Folders of days, below the parents that were asked for, in which no entry was asked for. */
  otherDays(): readonly string[];
}
