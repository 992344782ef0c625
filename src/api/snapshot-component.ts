import { anything, choice, flag, integer, list, object, optional, text, time } from "./schema.ts";

export const drivers = [
  "Restic",
  "WalG",
  "Medusa",
  "VolumeSnapshotter",
  "Solr",
  "ClickHouseBackup",
  "Neo4jAdmin",
] as const;

/** Progress of a restic command that runs. KubeStash does not say whether these are numbers or texts, so any is kept. */
export function backupProgress() {
  return object({ ...progressFields(), backupDone: optional(anything("Bytes done.")) }, "How far it is.");
}

export function restoreProgress() {
  return object({ ...progressFields(), restoreDone: optional(anything("Bytes done.")) }, "How far it is.");
}

function progressFields() {
  return {
    secondsElapsed: optional(anything("Seconds since the start.")),
    percentDone: optional(anything("How much is done, in per cent.")),
    totalFiles: optional(anything("Files to do.")),
    filesDone: optional(anything("Files done.")),
    total: optional(anything("Bytes to do.")),
    speed: optional(anything("Bytes per second.")),
  };
}

const resticStats = object(
  {
    summary: optional(
      object(
        {
          id: optional(text("Id of the restic snapshot.")),
          uploaded: optional(text("What was new in it.")),
          hostPath: optional(text("Path that was saved.")),
          size: optional(text("Size of what was saved.")),
          startTime: optional(time("When it began.")),
          endTime: optional(time("When it ended.")),
        },
        "What restic said at the end.",
      ),
    ),
    progress: optional(backupProgress()),
    // Builds of KubeStash before `summary` wrote these into the entry itself.
    id: optional(text("Id of the restic snapshot, as older builds wrote it.")),
    uploaded: optional(text("What was new in it, as older builds wrote it.")),
    hostPath: optional(text("Path that was saved, as older builds wrote it.")),
    size: optional(text("Size of what was saved, as older builds wrote it.")),
  },
  "One saved path.",
);

const volumeSnapshotterStats = object(
  {
    pvcName: optional(text("Name of the claim.")),
    hostPath: optional(text("Path of the volume.")),
    volumeSnapshotName: optional(text("Name of the VolumeSnapshot.")),
    volumeSnapshotTime: optional(time("When it was taken.")),
  },
  "One VolumeSnapshot.",
);

/** Sizes and names that prove what a component saved; Holdfast's own. */
const proof = object(
  {
    repositoryID: text("Id of the restic repository."),
    resticVersion: text("Version of restic."),
    snapshots: list(
      object(
        {
          id: text("Id of the restic snapshot."),
          tree: text("Hash of its tree."),
          hostPath: text("Path that was saved."),
          files: integer("Files in it.", { format: "int64", minimum: 0 }),
          directories: integer("Directories in it.", { format: "int64", minimum: 0 }),
          bytes: integer("Bytes in it.", { format: "int64", minimum: 0 }),
        },
        "One restic snapshot, as it was listed again after the backup.",
      ),
      "The component's restic snapshots, as they were listed again after the backup.",
    ),
    objects: optional(integer("Kubernetes objects saved; manifests only.", { format: "int64", minimum: 0 })),
    files: integer("Files over all of them.", { format: "int64", minimum: 0 }),
    bytes: integer("Bytes over all of them.", { format: "int64", minimum: 0 }),
    missing: optional(
      list(text("One part, and why."), "Parts of the source that are not in the backup, at most 50."),
    ),
    warnings: optional(
      list(text("One name."), "Names in the parameters that choose nothing, at most 50; manifests only."),
    ),
  },
  "What proves the backup; written by Holdfast only.",
);

const componentPhases = ["Pending", "Running", "Succeeded", "Failed"] as const;

export function snapshotComponent() {
  return object(
    {
      path: optional(text("`repository/v1/<session>/<component>`, below the Repository's path.")),
      phase: optional(choice(componentPhases, "How it stands.")),
      size: optional(text("Size of the restic repository.")),
      duration: optional(text("How long it took.")),
      error: optional(text("Why it failed.")),
      integrity: optional(flag("Whether restic's check found no fault.")),
      driver: optional(choice(drivers, "What moved the data.")),
      resticStats: optional(list(resticStats, "One entry per saved path.")),
      volumeSnapshotterStats: optional(list(volumeSnapshotterStats, "One entry per volume.")),
      walGStats: optional(
        object(
          {
            id: optional(text("Id of the base backup.")),
            databases: optional(list(text("Name."), "Databases in it.")),
            startTime: optional(time("When it began.")),
            stopTime: optional(time("When it ended.")),
          },
          "A WAL-G base backup.",
        ),
      ),
      logStats: optional(logStats()),
      medusaStats: optional(databaseStats("MedusaStats")),
      solrStats: optional(databaseStats("SolrStats")),
      clickHouseStats: optional(databaseStats("ClickHouseStats")),
      neo4jStats: optional(databaseStats("Neo4jStats")),
      proof: optional(proof),
    },
    "One component.",
  );
}

function logStats() {
  return object(
    {
      start: optional(text("First log.")),
      end: optional(text("Last log.")),
      lsn: optional(text("Position in the log.")),
      totalFailedCount: optional(integer("Logs that failed.", { format: "int64" })),
      lastFailedStats: optional(anything("The last of them, kept and not read.")),
      totalSucceededCount: optional(integer("Logs that were saved.", { format: "int64" })),
      lastSucceededStats: optional(anything("The last of them, kept and not read.")),
      lastLogRetentionStats: optional(anything("Logs that were removed last, kept and not read.")),
    },
    "An archive of a database's log.",
  );
}

function databaseStats(name: string) {
  return anything(`KubeStash ${name}, kept and not read.`);
}
