import { backupStorageConditions } from "./condition-types.ts";
import { conditionList } from "./conditions.ts";
import { runtimeSettings, volumeSourceFields } from "./core-pieces.ts";
import { deletionPolicy } from "./deletion-policy.ts";
import {
  ageColumn,
  allCategories,
  column,
  type KindDefinition,
  namespacedKind,
  type ObjectOf,
} from "./kind.ts";
import { backupStoragePhases } from "./phases/backup-storage-phase.ts";
import { choice, flag, integer, list, object, optional, type TypeOf, text } from "./schema.ts";
import { usagePolicy } from "./usage-policy.ts";

export type BackupStorage = ObjectOf<typeof spec, typeof status>;
export type BackupStorageSpec = TypeOf<typeof spec>;
export type BackupStorageStatus = TypeOf<typeof status>;
export type StorageBackend = BackupStorageSpec["storage"];

const connections = () =>
  optional(
    integer("Most connections at a time; restic's default when absent or 0.", {
      format: "int64",
      minimum: 0,
    }),
  );
const prefix = () => optional(text("Folder in the bucket; its root when absent."));
const secretName = (instead: string) =>
  optional(text(`Secret of the BackupStorage's namespace with the credentials; ${instead} when absent.`));

const s3 = object(
  {
    endpoint: optional(text("URL or host of the S3 service; AWS when absent.")),
    bucket: text("Name of the bucket.", { minLength: 1 }),
    prefix: prefix(),
    region: optional(text("Region of the bucket.")),
    secretName: secretName("the identity of the pod"),
    maxConnections: connections(),
    insecureTLS: optional(flag("Do not check the server's certificate.")),
  },
  "An S3 bucket; the Secret has AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a private authority, CA_CERT_DATA.",
);

const gcs = object(
  {
    bucket: text("Name of the bucket.", { minLength: 1 }),
    prefix: prefix(),
    secretName: secretName("the identity of the pod"),
    maxConnections: connections(),
  },
  "A Google Cloud Storage bucket; the Secret has GOOGLE_SERVICE_ACCOUNT_JSON_KEY.",
);

const azure = object(
  {
    storageAccount: optional(text("Name of the storage account.")),
    container: text("Name of the container.", { minLength: 1 }),
    prefix: prefix(),
    secretName: secretName("the identity of the pod"),
    maxConnections: connections(),
  },
  "An Azure Blob container; the Secret has AZURE_ACCOUNT_KEY.",
);

const local = object(
  {
    ...volumeSourceFields(),
    mountPath: text("Where the volume is mounted in the Jobs.", { minLength: 1 }),
    subPath: optional(text("Folder of the volume that is mounted.")),
    maxConnections: connections(),
  },
  "A volume that the Jobs mount: NFS, a PersistentVolumeClaim or a directory of the node.",
);

const spec = object(
  {
    storage: object(
      {
        provider: choice(
          ["local", "s3", "gcs", "azure"],
          "Kind of backend; the field of that name says more.",
        ),
        s3: optional(s3),
        gcs: optional(gcs),
        azure: optional(azure),
        local: optional(local),
      },
      "The backend.",
    ),
    usagePolicy: optional(usagePolicy("Which namespaces may refer to this storage.")),
    default: optional(flag("Used by BackupConfigurations that name no backend; at most one in a namespace.")),
    deletionPolicy: optional(
      deletionPolicy(
        "With this object: `Delete` removes Repository and Snapshot objects and keeps the data, `WipeOut` removes the data too.",
      ),
    ),
    runtimeSettings: optional(runtimeSettings("Settings of the Jobs that work for the storage itself.")),
  },
  "What is wanted.",
);

const repositoryEntry = object(
  {
    name: text("Name of the Repository."),
    namespace: text("Namespace of the Repository."),
    path: optional(text("Its directory in the backend.")),
    size: optional(text("Its size.")),
    synced: optional(flag("Whether its objects were made from the backend.")),
    error: optional(text("Why they were not.")),
  },
  "One Repository.",
);

const status = object(
  {
    phase: optional(choice(["Ready", "NotReady"], "Whether backups can go there.")),
    totalSize: optional(text("Sum of the repositories' sizes.")),
    repositories: optional(list(repositoryEntry, "Repositories that use the storage.")),
    conditions: optional(conditionList()),
  },
  "What is.",
);

export const backupStorageKind = {
  resource: namespacedKind("storage", "BackupStorage", "backupstorages"),
  shortNames: [],
  categories: allCategories,
  columns: [
    column("Provider", ".spec.storage.provider"),
    column("Default", ".spec.default", "boolean"),
    column("Deletion-Policy", ".spec.deletionPolicy"),
    column("Total-Size", ".status.totalSize"),
    column("Phase", ".status.phase"),
    ageColumn,
  ],
  spec,
  status,
  intro: [
    "A BackupStorage says where backups go: a bucket, or a volume that Jobs can mount.",
    "Repositories lie in it, each in a directory of its own; metadata.yaml at its root lists them.",
    "A BackupStorage made for a place that holds backups already brings their Repository and Snapshot objects back.",
  ],
  phases: backupStoragePhases,
  conditions: Object.values(backupStorageConditions),
  example: {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name: "minio", namespace: "vault" },
    spec: {
      storage: {
        provider: "s3",
        s3: {
          endpoint: "http://minio.minio.svc:9000",
          bucket: "holdfast",
          prefix: "lab",
          region: "us-east-1",
          secretName: "minio-cred",
        },
      },
      usagePolicy: { allowedNamespaces: { from: "All" } },
      default: true,
      deletionPolicy: "Delete",
    },
  },
} as const satisfies KindDefinition;
