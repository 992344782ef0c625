import { type KubeObject, refOf } from "../../../../src/api/meta.ts";
import { asRecord, isFields, records } from "../../../../src/base/json.ts";
import type { Backend } from "./backend.ts";
import { type Cluster, Refusal, seconds } from "./cluster.ts";

/** How a Job's pod ends. */
export type JobEnding = {
  readonly ok: boolean;
  /** Whether it told how its component went. */
  readonly report: boolean;
  /** How much of the source was there. */
  readonly source: "whole" | "small" | "empty" | "partial";
};

export function componentLabel(job: KubeObject): string {
  return job.metadata.labels?.["app.kubernetes.io/component"] ?? "";
}

export function isRunning(job: KubeObject): boolean {
  return !records(asRecord(job["status"])["conditions"]).some((one) => one["status"] === "True");
}

/** Ends a Job as its container of ours would: reports first, then the Job's own condition. */
export function endJob(
  cluster: Cluster,
  backendFor: (job: KubeObject) => Backend | undefined,
  job: KubeObject,
  ending: JobEnding,
): void {
  const component = componentLabel(job);
  let { ok } = ending;
  if (component === "kubestash-backup" && ending.report) reportBackup(cluster, job, ending);
  if (component === "kubestash-restore" && ending.report) reportRestore(cluster, job, ending);
  if (component === "kubestash-retention-policy" && ok) forget(backendFor(job), job);
  if (/initializer|uploader|cleaner/.test(component) && ok) ok = writeBackend(cluster, backendFor(job), job);
  const status = {
    conditions: [
      ok
        ? { type: "Complete", status: "True" }
        : { type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "it failed" },
    ],
  };
  cluster.patch(refOf(job), undefined, { status });
}

function reportBackup(cluster: Cluster, job: KubeObject, { ok, source }: JobEnding): void {
  const session = owner(cluster, job);
  const component = job.metadata.annotations?.["holdfast.dev/component"] ?? "";
  const files = { whole: 100, partial: 100, small: 10, empty: 0 }[source];
  const succeeded = ok && source !== "partial";
  const time = seconds(cluster.nowMs);
  for (const listed of records(asRecord(session?.["status"])["snapshots"])) {
    const snapshot = cluster.find("Snapshot", job.metadata.namespace ?? "", String(listed["name"]));
    if (snapshot === undefined) continue;
    const report = {
      phase: succeeded ? "Succeeded" : "Failed",
      driver: "Restic",
      path: `repository/v1/${String(asRecord(snapshot["spec"])["session"])}/${component}`,
      size: "1 KiB",
      ...(ok
        ? {
            integrity: true,
            resticStats: [{ summary: { id: "a", startTime: time, endTime: time } }],
            proof: {
              files,
              bytes: files * 10,
              ...(component === "manifest" ? { objects: files } : {}),
              ...(source === "partial" ? { missing: ["one file"] } : {}),
            },
          }
        : { error: "restic said no" }),
    };
    cluster.patch(refOf(snapshot), undefined, { status: { components: { [component]: report } } });
  }
}

function reportRestore(cluster: Cluster, job: KubeObject, { ok }: JobEnding): void {
  const restore = owner(cluster, job);
  const component = job.metadata.annotations?.["holdfast.dev/component"] ?? "";
  if (restore === undefined) return;
  const report = { [component]: { phase: ok ? "Succeeded" : "Failed" } };
  cluster.patch(refOf(restore), undefined, { status: { components: report } });
}

function owner(cluster: Cluster, job: KubeObject): KubeObject | undefined {
  const [reference] = job.metadata.ownerReferences ?? [];
  const kind = reference?.kind ?? "";
  return cluster.list(kind, job.metadata.namespace).find((one) => one.metadata.uid === reference?.uid);
}

function forget(backend: Backend | undefined, job: KubeObject): void {
  const names = (job.metadata.annotations?.["holdfast.dev/snapshots"] ?? "").split(",");
  backend?.forget("/web", names);
}

/** What `holdfast job storage-…` does; answers whether it could. */
function writeBackend(cluster: Cluster, backend: Backend | undefined, job: KubeObject): boolean {
  const pod = asRecord(asRecord(asRecord(job["spec"])["template"])["spec"]);
  const args = asRecord(records(pod["containers"])[0])["args"];
  const [, name, ...flags] = Array.isArray(args) ? args.map(String) : [];
  const flag = (wanted: string) =>
    flags.find((one) => one.startsWith(`--${wanted}=`))?.slice(wanted.length + 3);
  const named = (kind: string, text: string | undefined) => {
    const [namespace = "", object = ""] = (text ?? "").split("/");
    return cluster.find(kind, namespace, object);
  };
  if (backend === undefined) return false;
  try {
    const repository = named("Repository", flag("repository"));
    const snapshot = named("Snapshot", flag("snapshot"));
    if (name === "storage-initialize") {
      const { namespace = "", name: own } = { namespace: flag("namespace"), name: flag("name") };
      const storage = cluster.find("BackupStorage", namespace, own ?? "");
      const status = backend.write({ do: "initialize" }, cluster);
      if (storage !== undefined) cluster.patch(refOf(storage), undefined, { status });
    } else if (name === "storage-clean")
      backend.write({ do: "wipe", directory: flag("directory") ?? "" }, cluster);
    else if (repository !== undefined) backend.write({ do: "repository", repository }, cluster);
    else if (snapshot !== undefined) {
      const of = cluster.find(
        "Repository",
        snapshot.metadata.namespace ?? "",
        String(asRecord(snapshot["spec"])["repository"]),
      );
      if (of === undefined) return false;
      backend.write({ do: "snapshot", repository: of, snapshot }, cluster);
    } else return false;
    return isFields(job["spec"]);
  } catch (thrown) {
    if (thrown instanceof Refusal) return false;
    throw thrown;
  }
}
