/** What a BackupStorage resolves to, with its credentials: where keys live. */
export type ObjectsLocation =
  | {
      readonly provider: "s3";
      /** With scheme; empty means AWS. */
      readonly endpoint: string;
      readonly bucket: string;
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string;
      readonly region: string;
      readonly insecureTLS: boolean;
      /** Empty: the environment's own identity (IRSA, instance role). */
      readonly credentials: {
        readonly accessKeyId?: string;
        readonly secretAccessKey?: string;
        /** PEM */
        readonly caCertificate?: string;
      };
    }
  | {
      readonly provider: "local";
      /** Absolute directory; the mount of the volume. */
      readonly directory: string;
    };

export type StoredObject = {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was put last, by the store's clock, in milliseconds since the epoch; infinite where it does not say. */
  readonly modifiedMs: number;
};

/**
 * A flat store of small documents (metadata.yaml, repository.yaml, snapshots/*.yaml) beside restic's data.
 * Keys are relative to the location's prefix, use `/`, and never hold `..` or start with `/`
 * (refused with reason `InvalidKey`). A put is atomic: readers see the old or the new content whole.
 * Errors are HoldfastErrors: `BucketNotFound`, `AccessDenied`, `ObjectTooLarge` stall; network and 5xx retry.
 */
export interface Objects {
  /** For people: URL or directory, never a credential. */
  readonly where: string;
  /** Undefined when absent. Refuses more than `maxBytes` (1 MiB by default). */
  get(key: string, options?: { readonly maxBytes?: number }): Promise<Uint8Array | undefined>;
  put(key: string, content: Uint8Array, options?: { readonly contentType?: string }): Promise<void>;
  /** Recursive, in key order. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Content with an absent key. */
  delete(key: string): Promise<void>;
  /** Deletes every key under the folder `prefix`, one by one; answers how many. An empty prefix means all. */
  deleteAll(prefix: string): Promise<number>;
}
