import type { Condition } from "../../api/conditions.ts";
import type { KubeObject, ObjectRef } from "../../api/meta.ts";
import type { Problem } from "../../base/problem.ts";

/** What a step that touches the outside decides: one condition of one object. */
export type Mark = {
  readonly ref: ObjectRef;
  readonly resourceVersion: string;
  readonly condition: string;
  readonly whenTrue: string;
  readonly whenFalse: string;
  /** The object's conditions as they are planned beside this one. */
  readonly conditions: readonly Condition[];
  readonly observedGeneration: number | undefined;
};

/** What a `store` step does in the backend of a BackupStorage, beside restic's data. */
export type StoreWrite =
  /** metadata.yaml if absent; otherwise its Repository and Snapshot objects come back. */
  | { readonly do: "initialize" }
  /** repository.yaml if absent; otherwise the Snapshot objects of that directory come back. */
  | { readonly do: "repository"; readonly repository: KubeObject }
  /** snapshots/<name>.yaml, and metadata.yaml's list kept current. */
  | { readonly do: "snapshot"; readonly repository: KubeObject; readonly snapshot: KubeObject }
  /** Everything under the directory; "" is the whole prefix. */
  | { readonly do: "wipe"; readonly directory: string };

/**
 * One item of a plan: data, carried out by `act`. `because` is one sentence; `holdfast plan` prints it.
 * Every step bears being done twice: created by deterministic name, deleted by uid, put by content,
 * patched against the resourceVersion that was observed.
 */
export type Step =
  | {
      readonly kind: "apply";
      readonly object: KubeObject;
      readonly change: "create" | "configure";
      /** Paths whose live value differs from the declared one. */
      readonly drift: readonly string[];
      readonly because: string;
    }
  | {
      readonly kind: "create";
      readonly object: KubeObject;
      /** The condition that tells, as Unknown, why the API server does not make it. */
      readonly mark?: Mark;
      readonly because: string;
    }
  | {
      readonly kind: "patch";
      readonly ref: ObjectRef;
      readonly resourceVersion: string;
      readonly patch: Readonly<Record<string, unknown>>;
      readonly because: string;
    }
  | { readonly kind: "delete"; readonly ref: ObjectRef; readonly uid: string; readonly because: string }
  | {
      readonly kind: "store";
      readonly storage: KubeObject;
      readonly write: StoreWrite;
      readonly mark?: Mark;
      readonly because: string;
    }
  /** What Holdfast notes for itself, in its own namespace; no change of anything that is anybody else's. */
  | { readonly kind: "note"; readonly object: KubeObject; readonly because: string }
  | {
      readonly kind: "status";
      readonly ref: ObjectRef;
      readonly resourceVersion: string;
      /** JSON merge patch of `.status`. */
      readonly status: Readonly<Record<string, unknown>>;
      readonly because: string;
    };

/** An entry of the record as it should stand at the tip. */
export type Entry = {
  readonly path: string;
  /** The object to write; undefined: the entry leaves the tip (never the history). */
  readonly content: Readonly<Record<string, unknown>> | undefined;
  /** The path is a folder, and all of it leaves the tip. */
  readonly folder?: true;
  /** `now`: final things and claims. `soon`: may wait for the next final one, at most a minute. */
  readonly when: "now" | "soon";
  /** What happened, for the commit's message: `backup demo/orders: Succeeded, 2 components, 12.4 MiB`. */
  readonly summary?: string;
};

export type Plan = {
  /** The declared commit. */
  readonly revision: string;
  readonly steps: readonly Step[];
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
  /** When the next thing is due though nothing happens until then; milliseconds since the epoch. */
  readonly wakeAtMs: number | undefined;
  /** Something is under way that this plan waits for (a Job, a deletion). */
  readonly waiting: readonly string[];
};
