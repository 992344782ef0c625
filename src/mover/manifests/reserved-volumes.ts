import { groupOf, type KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { textAt, withField } from "../storage/fields.ts";

/** Binds claims to the PersistentVolumes of the same restore, so that none is provisioned empty in place of its data. */
export type ReservedVolumes = {
  /** Notes the claim of a volume that is to be sent; a claim gets the name of its volume, once that is there. */
  before(object: KubeObject): KubeObject;
  /** What the cluster has of what was sent. */
  after(object: KubeObject, live: KubeObject): void;
};

type Reserved = { readonly volume: string /** Why the claim cannot bind to it. */; readonly why?: string };

export function createReservedVolumes(): ReservedVolumes {
  /** By `namespace/name` of the claim. */
  const reserved = new Map<string, Reserved>();
  return {
    before(object) {
      const volume = object.metadata.name;
      if (isCore(object, "PersistentVolume")) {
        const claim = claimOf(object);
        if (claim !== undefined) reserved.set(claim, { volume, why: "could not be restored" });
        return object;
      }
      const mine = isCore(object, "PersistentVolumeClaim") ? reserved.get(keyOfClaim(object)) : undefined;
      if (mine === undefined) return object;
      if (mine.why !== undefined) throw volumeAwaited(mine.volume, mine.why);
      return { ...object, spec: withField(object, ["spec", "volumeName"], mine.volume)["spec"] };
    },
    after(object, live) {
      const claim = isCore(object, "PersistentVolume") ? claimOf(object) : undefined;
      if (claim === undefined) return;
      const why = whyNotFor(claim, live);
      reserved.set(claim, { volume: object.metadata.name, ...(why === undefined ? {} : { why }) });
    },
  };
}

/** A volume whose claim is gone waits for a person to free it, and one of another claim is not to be had. */
function whyNotFor(claim: string, live: KubeObject): string | undefined {
  const holder = claimOf(live);
  if (holder === undefined) return undefined;
  if (holder !== claim) return `belongs to ${holder}`;
  const phase = textAt(live, "status", "phase");
  const gone = phase === "Released" || phase === "Failed";
  return gone && textAt(live, "spec", "claimRef", "uid") !== undefined
    ? `is ${phase} and kept for the claim that is gone; overwrite it, or take spec.claimRef.uid out of it`
    : undefined;
}

function claimOf(volume: KubeObject): string | undefined {
  const namespace = textAt(volume, "spec", "claimRef", "namespace");
  const name = textAt(volume, "spec", "claimRef", "name");
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}

function keyOfClaim({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function isCore(object: KubeObject, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === "";
}

function volumeAwaited(volume: string, why: string): HoldfastError {
  return new HoldfastError("VolumeAwaited", `its PersistentVolume ${volume} ${why}`, {
    disposition: "retry",
    next: "Look at the volume; leave RestorePVs out to have a new one provisioned.",
  });
}
