import { setCondition } from "../../../../src/api/conditions.ts";
import { cleanupFinalizer } from "../../../../src/api/labels.ts";
import type { KubeObject } from "../../../../src/api/meta.ts";
import { snapshotPhase } from "../../../../src/api/phases/snapshot-phase.ts";
import type { SnapshotStatus } from "../../../../src/api/snapshot.ts";
import { asRecord } from "../../../../src/base/json.ts";
import type { StoreWrite } from "../../../../src/pass/plan/step.ts";
import { type Cluster, Refusal } from "./cluster.ts";

/** What lies in a bucket beside restic's data: who was there, and the Snapshots that can come back. */
export class Backend {
  /** Set while nobody can reach it. */
  broken = false;
  private initialised = false;
  private readonly repositories = new Map<string, KubeObject>();
  private readonly snapshots = new Map<string, Map<string, KubeObject>>();

  write(write: StoreWrite, cluster: Cluster): Readonly<Record<string, unknown>> {
    if (this.broken) throw new Refusal("BackendUnreachable");
    switch (write.do) {
      case "initialize": {
        const listed = this.initialised ? this.bringBack(cluster) : [];
        this.initialised = true;
        return { repositories: listed };
      }
      case "repository": {
        const path = String(asRecord(write.repository["spec"])["path"]);
        this.repositories.set(path, write.repository);
        this.bringBackSnapshots(path, cluster);
        return {};
      }
      case "snapshot": {
        const path = String(asRecord(write.repository["spec"])["path"]);
        const known = this.snapshots.get(path) ?? new Map<string, KubeObject>();
        known.set(write.snapshot.metadata.name, published(write.snapshot, cluster.nowMs));
        this.snapshots.set(path, known);
        return {};
      }
      case "wipe":
        for (const path of this.repositories.keys())
          if (write.directory === "" || path === write.directory) {
            this.repositories.delete(path);
            this.snapshots.delete(path);
          }
        if (write.directory === "") this.initialised = false;
        return {};
    }
  }

  /** What `restic forget` of a retention Job leaves behind. */
  forget(path: string, names: readonly string[]): void {
    for (const name of names) this.snapshots.get(path)?.delete(name);
  }

  private bringBack(cluster: Cluster): readonly Readonly<Record<string, unknown>>[] {
    return [...this.repositories].map(([path, stored]) => {
      const { name, namespace = "" } = stored.metadata;
      const entry = { name, namespace, path };
      const place = cluster.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
      if (place === undefined || place.metadata.deletionTimestamp !== undefined)
        return { ...entry, synced: false, error: `namespace ${namespace} does not exist` };
      if (cluster.find("Repository", namespace, name) === undefined)
        cluster.create({
          apiVersion: stored.apiVersion,
          kind: stored.kind,
          metadata: { name, namespace },
          spec: stored["spec"],
        });
      this.bringBackSnapshots(path, cluster);
      return { ...entry, synced: true };
    });
  }

  private bringBackSnapshots(path: string, cluster: Cluster): void {
    for (const stored of this.snapshots.get(path)?.values() ?? []) {
      const { name, namespace = "", labels } = stored.metadata;
      const repository = cluster.find(
        "Repository",
        namespace,
        String(asRecord(stored["spec"])["repository"]),
      );
      if (repository === undefined || cluster.find("Snapshot", namespace, name) !== undefined) continue;
      const { apiVersion, kind } = repository;
      const owner = { apiVersion, kind, name: repository.metadata.name, uid: repository.metadata.uid ?? "" };
      const made = cluster.create({
        apiVersion: stored.apiVersion,
        kind: stored.kind,
        metadata: {
          name,
          namespace,
          ...(labels && { labels }),
          finalizers: [cleanupFinalizer],
          ownerReferences: [{ ...owner, controller: true }],
        },
        spec: stored["spec"],
      });
      const ref = { apiVersion: made.apiVersion, kind: made.kind, namespace, name };
      cluster.patch(ref, undefined, { status: stored["status"] });
    }
  }
}

/** As it is once this write has succeeded: what comes back from a bucket is whole. */
function published(snapshot: KubeObject, nowMs: number): KubeObject {
  const status = (snapshot["status"] ?? {}) as SnapshotStatus;
  const uploaded = { type: "SnapshotMetadataUploaded", status: "True" } as const;
  const conditions = setCondition(status.conditions, uploaded, nowMs);
  const after = { ...status, conditions };
  return { ...snapshot, status: { ...after, phase: snapshotPhase(after) } };
}
