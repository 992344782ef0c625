import type { KubeObject } from "../../../api/meta.ts";
import { asRecord } from "../../../base/json.ts";
import type { Draft } from "../draft.ts";
import type { World } from "../world.ts";

type Json = Readonly<Record<string, unknown>>;

/** What every stage of a BackupSession looks at. */
export type SessionContext = {
  readonly draft: Draft;
  /** Its backends have their defaults. */
  readonly configuration: KubeObject;
  /** The session of the BackupConfiguration that this run is of. */
  readonly session: Json;
  readonly world: World;
};

export function createdMs(object: KubeObject): number {
  return Date.parse(object.metadata.creationTimestamp ?? "1970-01-01T00:00:00Z");
}

/** Runs of all sessions of a BackupConfiguration. */
export function runsOf({ metadata }: KubeObject, world: World): readonly KubeObject[] {
  const { namespace = "", name } = metadata;
  return world.observed.keyed("BackupSession", invokerOfSession, `${namespace}/${name}`);
}

function invokerOfSession({ metadata, spec }: KubeObject): readonly string[] {
  const { name } = asRecord(asRecord(spec)["invoker"]);
  return typeof name === "string" ? [`${metadata.namespace ?? ""}/${name}`] : [];
}

/** Runs of one session of a BackupConfiguration. */
export function sessionsOf(configuration: KubeObject, session: string, world: World): readonly KubeObject[] {
  return runsOf(configuration, world).filter((one) => asRecord(one["spec"])["session"] === session);
}
