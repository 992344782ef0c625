import type { KubeObject, Resource } from "../../api/meta.ts";

export type ObjectName = { readonly namespace?: string; readonly name: string };

export type DiscoveredResource = Resource & {
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  /** True for the version that the server prefers for its group. */
  readonly preferred: boolean;
  /** True when the server of this API does not answer: what it served when it last did. */
  readonly stale?: true;
};

export type Discovery = {
  /** No subresources. Every served version is listed; `preferred` marks one per kind and group. */
  readonly resources: readonly DiscoveredResource[];
  /** Group versions that could not be read, e.g. of a broken aggregated API, stale ones too. The rest is complete. */
  readonly failures: readonly { readonly groupVersion: string; readonly message: string }[];
};

export type ListOptions = {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects per page at most, 500 by default; pages aim at 4 MiB by the size of the objects before. */
  readonly limit?: number;
  /** Where to go on: `continueToken` of the KubeError of a list that expired. The rest is then of a later moment. */
  readonly continueToken?: string;
  /** Hears of an object that is too large for a page of its own, and is then left out; without it, that throws. */
  readonly onTooLarge?: (name: ObjectName) => void;
  readonly signal?: AbortSignal;
};

export type ListPage = { readonly items: readonly KubeObject[]; readonly resourceVersion: string };

export type Change =
  /** A full list: everything that is not in it is gone. The first event, and again after every relist. */
  | { readonly kind: "listed"; readonly items: readonly KubeObject[] }
  | { readonly kind: "put"; readonly object: KubeObject }
  | { readonly kind: "gone"; readonly object: KubeObject };

export type WriteOptions = {
  /** Field manager; `holdfast`, or `holdfast-mover-<component>` of a Job that reports its component. */
  readonly manager: string;
  readonly dryRun?: boolean;
  readonly subresource?: "status";
  /** What becomes of fields that the server does not know: `Strict` refuses them; by default it drops them. */
  readonly fieldValidation?: "Strict" | "Ignore";
  readonly signal?: AbortSignal;
};

/**
 * The Kubernetes API as the product needs it: plain JSON in and out, over HTTP.
 *
 * Every method has a deadline of its own (30 s for one request) beside the caller's signal, is subject to
 * a token bucket, honours 429 with `Retry-After`, and tries again for 2 minutes what passes. Items of lists get the list's apiVersion and kind.
 * Errors: a `KubeError` (a HoldfastError) with the server's `status.code`, `reason` and message;
 * `get` answers undefined for 404, `delete` is content with 404, everything else throws.
 */
export interface Kube {
  discover(signal?: AbortSignal): Promise<Discovery>;
  get(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /**
   * Pages in order. An expired continue token (410) throws a KubeError with reason `Expired`, and with a
   * `continueToken` of its own where the server can go on.
   */
  list(resource: Resource, options?: ListOptions): AsyncIterable<ListPage>;
  /**
   * Lists, then watches, for ever: bookmarks, resume from the last resourceVersion, relist after 410 and
   * after any error (with back-off), a full relist every 10 minutes. Ends only by the signal. A list or a
   * watch that fails is reported through `onError` and tried again; an expired resourceVersion is no failure.
   */
  follow(
    resource: Resource,
    options: ListOptions & { readonly signal: AbortSignal; readonly onError?: (error: unknown) => void },
  ): AsyncIterable<Change>;
  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject>;
  /** Full replacement (PUT); needs `metadata.resourceVersion`. */
  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. `force` takes fields over from other managers. */
  apply(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions & { readonly force: boolean },
  ): Promise<KubeObject>;
  /** JSON merge patch. Put `metadata.resourceVersion` into the patch to make it conditional (409 otherwise). */
  mergePatch(
    resource: Resource,
    name: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options: WriteOptions,
  ): Promise<KubeObject>;
  delete(
    resource: Resource,
    name: ObjectName,
    options?: {
      /** Precondition: only this very object. */
      readonly uid?: string;
      readonly propagation?: "Background" | "Foreground" | "Orphan";
      readonly signal?: AbortSignal;
    },
  ): Promise<void>;
}
