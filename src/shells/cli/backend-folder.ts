import { stat } from "node:fs/promises";
import { join } from "node:path";
import { builtIn } from "../../api/built-in.ts";
import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { fieldOf, textOf } from "../field-of.ts";
import type { ReaderContext } from "./reader-context.ts";

/**
 * The folder of this machine that holds a `local` BackupStorage: its hostPath, or that of its claim's volume, as in
 * an embedded cluster or on the node itself. Throws `BackendNotHere` for volumes of elsewhere.
 */
export async function backendFolder(context: ReaderContext, storage: KubeObject): Promise<string> {
  const local = fieldOf(storage, "spec", "storage", "local");
  const claim = fieldOf(local, "persistentVolumeClaim", "claimName");
  const volume = typeof claim === "string" ? await volumeOf(context, storage, claim) : local;
  const path = [fieldOf(volume, "hostPath", "path"), fieldOf(volume, "local", "path")].find(
    (one) => typeof one === "string",
  );
  const subPath = fieldOf(local, "subPath");
  const folder =
    typeof path === "string" ? join(path, typeof subPath === "string" ? subPath : "") : undefined;
  const here = folder !== undefined && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  if (folder !== undefined && here) return folder;
  const where = folder === undefined ? "a volume of the cluster" : folder;
  throw new HoldfastError(
    "BackendNotHere",
    `${nameOf(refOf(storage))} keeps its data in ${where}, which this machine does not have`,
    {
      disposition: "stall",
      next: "run the command on the node that has it, or mount the volume here and read it with restic itself",
    },
  );
}

async function volumeOf(
  { kube, signal }: ReaderContext,
  storage: KubeObject,
  claim: string,
): Promise<unknown> {
  const { namespace = "" } = storage.metadata;
  const found = await kube.get(builtIn.PersistentVolumeClaim, { namespace, name: claim }, signal);
  const name = textOf(found, "spec", "volumeName");
  const volume = name === "-" ? undefined : await kube.get(builtIn.PersistentVolume, { name }, signal);
  return fieldOf(volume, "spec");
}
