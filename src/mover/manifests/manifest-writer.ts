import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiVersionOf, type KubeObject, type Resource } from "../../api/meta.ts";
import { fileNotWritten } from "../../base/file-error.ts";
import { yamlOf } from "../storage/yaml-of.ts";
import { isMadeForJobs } from "./made-for-jobs.ts";
import { fileNameOf, folderOfType, isSafeName } from "./manifest-tree.ts";
import type { MissingParts } from "./missing-parts.ts";
import { sanitise } from "./sanitise.ts";

/** Writes one object into the tree; false when it is Holdfast's own, or could not be, which `missing` then names. */
export type ManifestWriter = (type: Resource, listed: KubeObject) => boolean;

export function createManifestWriter(tree: string, missing: MissingParts): ManifestWriter {
  return (type, listed) => {
    const object: KubeObject = { ...listed, apiVersion: apiVersionOf(type), kind: type.kind };
    if (isMadeForJobs(object)) return false;
    const { name, namespace } = object.metadata;
    if (!isSafeName(name) || (namespace !== undefined && !isSafeName(namespace))) {
      missing.add(`${type.kind} ${JSON.stringify(name)}: not a name that a file can have`);
      return false;
    }
    const folder = join(tree, folderOfType(type, namespace));
    writeInto(folder, fileNameOf(name), yamlOf(sanitise(object)));
    return true;
  };
}

/**
 * Folders are made when the first file needs them: a list that is begun again removes them. Files are small and go
 * into the system's cache: waiting for each in turn takes several times as long as writing it.
 */
function writeInto(folder: string, name: string, text: string): void {
  const file = join(folder, name);
  try {
    try {
      writeFileSync(file, text);
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
  } catch (thrown) {
    throw fileNotWritten(file, thrown);
  }
}
