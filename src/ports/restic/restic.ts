/** A restic repository and what opens it. Secrets travel by environment only, never in argv. */
export type ResticRepository = {
  /** As restic's `-r` takes it: `s3:http://host/bucket/prefix/…` or a directory. */
  readonly url: string;
  readonly password: string;
  /** AWS_ACCESS_KEY_ID and the like. */
  readonly environment: Readonly<Record<string, string>>;
  /** PEM of a private CA. */
  readonly caCertificate?: string;
  readonly insecureTLS?: boolean;
  /** Connection limit of the backend (`-o s3.connections=N`). */
  readonly maxConnections?: number;
  /** Absent: `--no-cache`. */
  readonly cacheDirectory?: string;
};

export type BackupRequest = {
  /** Directory that paths in the snapshot are relative to; `/` in a real pod. */
  readonly root: string;
  /** Absolute path as the pod sees it, e.g. `/data`: the snapshot's tree is `/data/...` whatever `root` is. */
  readonly path: string;
  readonly exclude: readonly string[];
  /** Stable name of the source; never the pod's. */
  readonly host: string;
  readonly tags: readonly string[];
  /** restic snapshot to compare with; unchanged files are not read again. */
  readonly parent?: string;
};

export type Progress = {
  readonly secondsElapsed: number;
  readonly percentDone: number;
  readonly totalFiles: number;
  readonly filesDone: number;
  readonly totalBytes: number;
  readonly bytesDone: number;
};

export type BackupSummary = {
  readonly snapshotId: string;
  /** True when restic could not read a part of the source (its exit code 3): the snapshot exists. */
  readonly partial: boolean;
  /** restic's own words on what it could not read, at most 50. */
  readonly unread: readonly string[];
  readonly filesNew: number;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly bytesAdded: number;
  /** Pieces of files that the repository did not hold; undefined where this restic does not tell. */
  readonly dataBlobs: number | undefined;
  readonly startedAt: string;
  readonly endedAt: string;
};

export type ResticSnapshot = {
  readonly id: string;
  /** Hash of the root tree. */
  readonly tree: string;
  readonly time: string;
  readonly host: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
};

export type ResticNode = {
  readonly path: string;
  readonly type: "file" | "dir" | "symlink" | "other";
  readonly sizeBytes: number;
  /** RFC 3339, as restic has it. */
  readonly modifiedAt: string;
};

export type ListOptions = {
  readonly onSnapshot?: (snapshot: ResticSnapshot) => void;
  readonly signal?: AbortSignal | undefined;
};

export type RestoreRequest = {
  readonly snapshotId: string;
  readonly root: string;
  /** The saved path, e.g. `/data`; comes back to `root` + `path`. */
  readonly path: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
};

export type RestoreSummary = { readonly files: number; readonly bytes: number };

/**
 * restic as a program, 0.14 and newer (docs: restic's scripting page). Calls have deadlines and can be
 * aborted: TERM, then KILL. Output is read bounded. Each process costs half a second of key derivation.
 * Errors are HoldfastErrors with restic's own words: `NoRepository` (exit code 10), `RepositoryLocked` (11),
 * `WrongPassword` (12), `SnapshotNotFound`, `ResticFailed`, `ResticNotFound` (names how to install),
 * `ResticTooOld` (names the version that can).
 */
export interface Restic {
  version(): Promise<string>;
  /** Opens the repository, or initialises an empty one. Answers its id. */
  ensureRepository(
    repository: ResticRepository,
    signal?: AbortSignal,
  ): Promise<{ readonly id: string; readonly created: boolean }>;
  backup(
    repository: ResticRepository,
    request: BackupRequest,
    options?: { readonly onProgress?: (progress: Progress) => void; readonly signal?: AbortSignal },
  ): Promise<BackupSummary>;
  /** All, or those whose ids are given (absent ones are simply not in the answer). */
  snapshots(
    repository: ResticRepository,
    ids?: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly ResticSnapshot[]>;
  /**
   * Nodes of a snapshot, streamed; `path` limits to a folder. A folder comes before what is in it, and the names in
   * a folder in the order of their bytes. The snapshot itself is read from the repository and told before its nodes.
   */
  list(
    repository: ResticRepository,
    snapshotId: string,
    path?: string,
    options?: ListOptions,
  ): AsyncIterable<ResticNode>;
  /** Paths in both of two snapshots whose content or type differs, streamed, in the order of `list`. */
  changed(
    repository: ResticRepository,
    snapshotIds: readonly [string, string],
    signal?: AbortSignal,
  ): AsyncIterable<string>;
  restore(
    repository: ResticRepository,
    request: RestoreRequest,
    options?: { readonly onProgress?: (progress: Progress) => void; readonly signal?: AbortSignal },
  ): Promise<RestoreSummary>;
  /** `forget --prune` of exactly these ids. Ids that are already gone are no error. */
  forget(repository: ResticRepository, ids: readonly string[], signal?: AbortSignal): Promise<void>;
  /** `check --no-lock`: structure, and packs' content with `readData`. */
  check(
    repository: ResticRepository,
    options?: { readonly readData?: boolean },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Bytes that the repository takes in the backend (`stats --mode raw-data`). */
  size(repository: ResticRepository, signal?: AbortSignal): Promise<number>;
  /** Removes stale locks only; `all` removes every lock and needs proof that no holder lives. */
  unlock(
    repository: ResticRepository,
    options?: { readonly all?: boolean },
    signal?: AbortSignal,
  ): Promise<void>;
}
