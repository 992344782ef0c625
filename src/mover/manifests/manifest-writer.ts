import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiVersionOf, type KubeObject, nameOf, type Resource, refOf } from "../../api/meta.ts";
import { fileNotWritten } from "../../base/file-error.ts";
import { yamlOf } from "../storage/yaml-of.ts";
import { isMadeForJobs } from "./made-for-jobs.ts";
import { groupResourceName } from "./manifest-filter.ts";
import { fileNameOf, folderOfType, isSafeName } from "./manifest-tree.ts";
import type { MissingParts } from "./missing-parts.ts";
import { sanitise } from "./sanitise.ts";

export type DumpCounts = {
  /** Files in the tree. */
  readonly files: number;
  /** Files of types that change though nobody changes them, by type. */
  readonly restless: Readonly<Record<string, number>>;
  /** Objects that were left out because they are being deleted. */
  readonly leaving: number;
};

export type ManifestWriter = {
  /** Writes one object into the tree; false when it does not belong there, or could not be, which `missing` then names. */
  write(type: Resource, listed: KubeObject): boolean;
  counts(): DumpCounts;
  /** Answers what takes back all that is counted or missing from now on; files are the caller's. */
  mark(): () => void;
};

/** Holders of leases renew them all the time, and everything that happens makes an event. */
const restlessTypes: ReadonlySet<string> = new Set([
  "events",
  "events.events.k8s.io",
  "leases.coordination.k8s.io",
]);

export function createManifestWriter(tree: string, missing: MissingParts): ManifestWriter {
  let counts: DumpCounts = { files: 0, restless: {}, leaving: 0 };
  const countFile = (type: Resource) => {
    const name = groupResourceName(type);
    const { files, restless } = counts;
    const more = restlessTypes.has(name) ? { ...restless, [name]: (restless[name] ?? 0) + 1 } : restless;
    counts = { ...counts, files: files + 1, restless: more };
  };
  return {
    write(type, listed) {
      const object: KubeObject = { ...listed, apiVersion: apiVersionOf(type), kind: type.kind };
      if (isMadeForJobs(object) || isMirrorPod(object)) return false;
      if (object.metadata.deletionTimestamp !== undefined) {
        counts = { ...counts, leaving: counts.leaving + 1 };
        return false;
      }
      const { name, namespace } = object.metadata;
      if (!isSafeName(name) || (namespace !== undefined && !isSafeName(namespace))) {
        missing.add(`${type.kind} ${JSON.stringify(name)}: not a name that a file can have`);
        return false;
      }
      const place = { folder: join(tree, folderOfType(type, namespace)), name: fileNameOf(name) };
      const what = writeInto(place, yamlOf(sanitise(object)));
      if (what === "taken") {
        missing.add(`${nameOf(refOf(object))}: this disk takes its name for that of another object`);
        return false;
      }
      if (what === "new") countFile(type);
      return true;
    },
    counts: () => counts,
    mark() {
      const then = counts;
      const takeBack = missing.mark();
      return () => {
        counts = then;
        takeBack();
      };
    },
  };
}

/** What the kubelet shows of a pod that it runs from a file on its node. */
function isMirrorPod({ apiVersion, kind, metadata }: KubeObject): boolean {
  return (
    apiVersion === "v1" &&
    kind === "Pod" &&
    metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined
  );
}

type Place = { readonly folder: string; readonly name: string };

/**
 * Folders are made when the first file needs them: a list that is begun again removes them. Files are small and go
 * into the system's cache: waiting for each in turn takes several times as long as writing it. An object that comes
 * twice is written again; on a disk that does not tell `a` from `A`, another one may be in its place.
 */
function writeInto({ folder, name }: Place, text: string): "new" | "again" | "taken" {
  const file = join(folder, name);
  try {
    try {
      writeFileSync(file, text, { flag: "wx" });
    } catch (thrown) {
      if (codeOf(thrown) !== "ENOENT") throw thrown;
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text, { flag: "wx" });
    }
    return "new";
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw fileNotWritten(file, thrown);
    if (!readdirSync(folder).includes(name)) return "taken";
    writeFileSync(file, text);
    return "again";
  }
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
