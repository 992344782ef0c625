import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { parseObject } from "../storage/stored-document.ts";
import type { ManifestPlace } from "./manifest-tree.ts";

const maxFileBytes = 8 * 1024 * 1024;

/** The object of one file of a tree; `ManifestUnreadable` names the file and what is wrong with it. */
export async function readManifest(place: ManifestPlace): Promise<KubeObject> {
  const shown = `${place.type}/${place.namespace ?? "cluster"}/${basename(place.file)}`;
  const { size } = await stat(place.file);
  if (size > maxFileBytes) throw unreadable(`${shown} has ${size} bytes, more than an object can have`);
  const object = parseObject(await readFile(place.file), shown);
  if (object.metadata.namespace === place.namespace) return object;
  throw unreadable(`${shown} holds an object of another namespace (${object.metadata.namespace ?? "none"})`);
}

export function unreadable(message: string): HoldfastError {
  return new HoldfastError("ManifestUnreadable", message, {
    disposition: "stall",
    next: "Restore another snapshot, or leave the object out.",
  });
}
