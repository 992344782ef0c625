import { objectReference, typedObjectReference } from "./references.ts";
import { flag, object, optional, text } from "./schema.ts";

/** RestoreSession.spec.manifestOptions: where restored manifests go, for workloads and for the kinds of KubeDB. */
export function manifestOptions() {
  const databases: Record<string, ReturnType<typeof databaseOptions>> = {};
  for (const kind of databaseKinds) databases[kind] = databaseOptions(kind);
  return object(
    {
      workload: optional(
        object(
          { restoreNamespace: optional(text("Namespace that the manifests are restored into.")) },
          "Manifests of a workload.",
        ),
      ),
      ...databases,
    },
    "Where restored manifests go.",
  );
}

/** KubeDB's kinds, as the fields are named. */
export const databaseKinds = [
  "mongoDB",
  "postgres",
  "mySQL",
  "mariaDB",
  "clickhouse",
  "msSQLServer",
  "druid",
  "zooKeeper",
  "singlestore",
  "redis",
  "redisSentinel",
] as const;

function databaseOptions(kind: string) {
  return optional(
    object(
      {
        restoreNamespace: optional(text("Namespace that the database is restored into.")),
        db: optional(flag("Restore the database's object.", { default: true })),
        dbName: optional(text("Its name there.")),
        authSecret: optional(flag("Restore its authentication Secret.", { default: true })),
        authSecretName: optional(text("The Secret's name there.")),
        configSecret: optional(flag("Restore its configuration Secret.", { default: true })),
        configSecretName: optional(text("The Secret's name there.")),
        initScript: optional(flag("Restore its initial script.", { default: true })),
        archiver: optional(flag("Restore its archiver.", { default: false })),
        archiverRef: optional(objectReference("The archiver there.")),
        tlsIssuerRef: optional(typedObjectReference("The issuer of certificates there.")),
      },
      `Manifests of a KubeDB database (${kind}).`,
    ),
  );
}
