import type { KubeObject } from "../../../src/api/meta.ts";
import { observedFrom } from "../../../src/pass/observed/observed.ts";
import { outboxOf } from "../../../src/pass/plan/outbox.ts";
import type { World } from "../../../src/pass/plan/world.ts";

export const now = Date.parse("2026-11-20T12:00:00Z");

/** A world that holds these objects, with nothing declared and nothing recorded. */
export function worldOf(...objects: readonly KubeObject[]): World {
  const observed = observedFrom(objects, "uid-of-kube-system");
  return {
    desired: { cluster: "lab", revision: "0".repeat(40), objects: new Map(), complete: true, problems: [] },
    observed,
    recorded: {
      tip: undefined,
      restore: () => undefined,
      entry: () => undefined,
      holds: () => false,
      paths: () => [],
      otherDays: () => [],
    },
    own: {
      namespace: "holdfast",
      state: {},
      outbox: outboxOf(observed, { cluster: "lab", namespace: "holdfast" }),
    },
    now,
    instance: "this-run",
    image: { registry: "ghcr.io", repository: "holdfast-dev/holdfast", tag: "0.1.0" },
  };
}

const versions: Readonly<Record<string, string>> = {
  Namespace: "v1",
  Secret: "v1",
  Job: "batch/v1",
  BackupConfiguration: "core.kubestash.com/v1alpha1",
  BackupSession: "core.kubestash.com/v1alpha1",
  RestoreSession: "core.kubestash.com/v1alpha1",
};

/** An object of a kind by `namespace/name`, with a uid; our kinds of the storage group need no version. */
export function objectOf(
  kind: string,
  place: string,
  fields: {
    readonly metadata?: Partial<KubeObject["metadata"]>;
    readonly spec?: unknown;
    readonly status?: unknown;
  } = {},
): KubeObject {
  const [namespace = "", name] = place.split("/");
  return {
    apiVersion: versions[kind] ?? "storage.kubestash.com/v1alpha1",
    kind,
    ...fields,
    metadata: {
      ...(name === undefined ? { name: namespace } : { namespace, name }),
      uid: `uid-of-${kind}-${place}`,
      resourceVersion: "1",
      creationTimestamp: "2026-11-20T11:59:00Z",
      ...fields.metadata,
    },
  };
}
