import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "../../base/json.ts";
import { targetOf } from "./targets.ts";

type Json = Readonly<Record<string, unknown>>;

/** A Repository as the sessions of a BackupConfiguration want it. */
export type RepositoryRequest = { readonly name: string; readonly spec: Json };

/** The Repositories that its sessions name, each once. Its backends have their defaults. */
export function repositoryRequests(configuration: KubeObject): readonly RepositoryRequest[] {
  const spec = asRecord(configuration["spec"]);
  const target = targetOf(configuration);
  const byName = new Map<string, RepositoryRequest>();
  for (const session of records(spec["sessions"])) {
    for (const repository of records(session["repositories"])) {
      const name = String(repository["name"]);
      const storageRef = asRecord(backendOf(configuration, repository)?.["storageRef"]);
      const policy = repository["deletionPolicy"];
      byName.set(name, {
        name,
        spec: {
          appRef: target ?? { apiGroup: "na", name: "na" },
          storageRef: {
            name: storageRef["name"],
            namespace: storageRef["namespace"] ?? configuration.metadata.namespace,
          },
          path: repository["directory"],
          deletionPolicy: policy === "WipeOut" ? "WipeOut" : "Delete",
          ...(repository["encryptionSecret"] === undefined
            ? {}
            : { encryptionSecret: repository["encryptionSecret"] }),
        },
      });
    }
  }
  return [...byName.values()];
}

/** By namespace and name, each Repository that its sessions name: what BackupConfigurations share. */
export function repositoriesNamed({ metadata, spec }: KubeObject): readonly string[] {
  return records(asRecord(spec)["sessions"])
    .flatMap((session) => records(session["repositories"]))
    .map((repository) => `${metadata.namespace ?? ""}/${String(repository["name"])}`);
}

/** The backend that a session's repository names, or the only one. */
export function backendOf(configuration: KubeObject, repository: Json): Json | undefined {
  const backends = records(asRecord(configuration["spec"])["backends"]);
  const named = backends.find((one) => one["name"] === repository["backend"]);
  return named ?? (backends.length === 1 ? backends[0] : undefined);
}
