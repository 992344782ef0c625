import type { KubeObject } from "../../api/meta.ts";
import { asRecord, records } from "../../base/json.ts";
import { secretAt } from "./kinds/repository.ts";
import { missingPassword } from "./secret-use.ts";
import type { World } from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

/** Sentences on what a BackupConfiguration refers to and is not there: storages, policies, Addons. */
export function missingReferences(configuration: KubeObject, world: World): readonly string[] {
  const spec = asRecord(configuration["spec"]);
  const namespace = configuration.metadata.namespace ?? "";
  const named = (kind: string, value: unknown) => {
    const reference = asRecord(value);
    const where = String(reference["namespace"] ?? namespace);
    const found = world.observed.list(kind, where).some((one) => one.metadata.name === reference["name"]);
    return found ? [] : [`${kind} ${where}/${String(reference["name"])} does not exist`];
  };
  const backends = records(spec["backends"]).flatMap((backend) => [
    ...named("BackupStorage", backend["storageRef"]),
    ...named("RetentionPolicy", backend["retentionPolicy"]),
  ]);
  const sessions = records(spec["sessions"]).flatMap((session) => {
    const addon = String(asRecord(session["addon"])["name"] ?? "");
    const known = world.observed.named("Addon", undefined, addon) !== undefined;
    return known ? [] : [`Addon ${addon} does not exist`];
  });
  return [...new Set([...backends, ...sessions])];
}

/** Why the repositories of a session cannot be opened; undefined when each has its Secret with a password. */
export function missingSessionPassword(session: Json, namespace: string, world: World): string | undefined {
  return records(session["repositories"])
    .map(({ name, encryptionSecret }) => {
      const secret = secretAt(encryptionSecret, namespace);
      if (secret !== undefined) return missingPassword(secret, world);
      return encryptionSecret === undefined
        ? undefined
        : `the encryptionSecret of repository ${String(name)} names no Secret`;
    })
    .find((message) => message !== undefined);
}
