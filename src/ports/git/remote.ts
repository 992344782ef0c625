/** SHA-1 of a Git object, 40 hex digits. */
export type Oid = string;

export type GitFile = {
  /** From the repository's root. */
  readonly path: string;
  readonly oid: Oid;
  /** `refused`: a name or a mode that Git itself refuses, such as `..`; whatever is below it is not listed. */
  readonly type: "file" | "executable" | "symlink" | "submodule" | "refused";
};

export type GitCommit = {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  readonly tree: Oid;
  readonly message: string;
  readonly author: string;
  /** Milliseconds since the epoch. */
  readonly committedAt: number;
};

/** One name in a folder; `oid` is the folder's own tree, or the file's content. */
export type FolderEntry = {
  readonly name: string;
  readonly oid: Oid;
  readonly type: GitFile["type"] | "folder";
};

/** A file to write, or to remove with `content: null`; `folder` removes a folder with everything in it. */
export type FileChange =
  | { readonly path: string; readonly content: string | null }
  | { readonly path: string; readonly content: null; readonly folder: true };

export type PushRequest = {
  readonly branch: string;
  /** The tip that the changes were made against; undefined for a branch that does not exist yet. */
  readonly expect: Oid | undefined;
  readonly changes: readonly FileChange[];
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly at: number;
};

export type PushResult =
  | { readonly kind: "pushed"; readonly commit: Oid }
  /** The branch moved meanwhile: nothing was written. */
  | { readonly kind: "moved"; readonly tip: Oid | undefined };

/**
 * The remote: one Git repository, read as an object store by id and written by compare-and-swap.
 * No clone, no work tree, no index. Every object's id is checked against its content; one that cannot be had
 * is an error by name, never skipped. Objects are cached by id; they never change.
 * A cache that cannot be written costs fetching again, and never fails a call.
 * Errors are HoldfastErrors: `RemoteUnreachable`, `Aborted` (retry); `RemoteUrlRefused`, `RemoteNotFound`,
 * `RemoteAuthenticationFailed`, `CertificateNotTrusted`, `HostKeyNotTrusted`, `RemoteUnsupported`, `ProxyRefused`,
 * `CaFileUnusable`, `SshCommandRefused`, `CommandMissing`, `ObjectMissing`, `ObjectTooLarge`, `ObjectMalformed`,
 * `UnsafePath`, `PathConflict`, `BranchNameInvalid`, `PushRefused` (stall). A branch that does not exist and a
 * history that was rewritten are answers, and whoever asks decides.
 */
export interface Remote {
  /** For people; credentials are taken out. */
  readonly where: string;
  /** Undefined when the branch does not exist (also in an empty repository). */
  tip(branch: string, signal?: AbortSignal): Promise<Oid | undefined>;
  /** Of a repository that is a clone: where that branch stood at its origin; undefined for every other. */
  originTip(branch: string, signal?: AbortSignal): Promise<Oid | undefined>;
  /** Whether it has any branch of an origin, so that what it lacks or holds may be otherwise there. */
  isClone(signal?: AbortSignal): Promise<boolean>;
  commit(oid: Oid, signal?: AbortSignal): Promise<GitCommit>;
  /**
   * Every file below `folder` ("" for all), in path order; undefined when there is no such folder.
   * Symlinks and submodules are listed and never followed.
   */
  files(commit: Oid, folder: string, signal?: AbortSignal): Promise<readonly GitFile[] | undefined>;
  /**
   * Folders by id, one level of each: a commit's `tree`, or what another folder lists. For who needs a few places
   * of a large tree and not all of it.
   */
  trees(oids: readonly Oid[], signal?: AbortSignal): Promise<ReadonlyMap<Oid, readonly FolderEntry[]>>;
  /** Contents by id, in as few requests as the server allows; a blob over `maxBytes` (1 MiB) is refused. */
  blobs(
    oids: readonly Oid[],
    options?: { readonly maxBytes?: number; readonly signal?: AbortSignal },
  ): Promise<ReadonlyMap<Oid, Uint8Array>>;
  /** From `from` back along first parents, newest first; ends at the root, or before `until`. */
  log(
    from: Oid,
    options?: { readonly until?: Oid; readonly limit?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<GitCommit>;
  /**
   * Whether `older` is reached from `newer` along any parents: false means that history was rewritten. A few
   * requests, and what comes is what lies between the two, however long the history is.
   */
  isAncestor(older: Oid, newer: Oid, signal?: AbortSignal): Promise<boolean>;
  /**
   * One commit on top of `expect`, pushed with `expect` as the old value. After any error in transit the
   * remote ref is read again: a commit that the server accepted is answered as `pushed`.
   */
  push(request: PushRequest, signal?: AbortSignal): Promise<PushResult>;
}

/** The id that Git gives to a blob of this content. */
export type BlobOid = (content: string) => Oid;
