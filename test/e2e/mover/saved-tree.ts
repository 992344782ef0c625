import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { load } from "js-yaml";
import type { KubeObject, OwnerReference } from "../../../src/api/meta.ts";
import { walkTree } from "../../../src/mover/manifests/manifest-tree.ts";
import { fieldsAt, listAt, textAt, withField, withoutField } from "../../../src/mover/storage/fields.ts";

/** A dump that was put on disk. */
export type SavedTree = {
  readonly files: number;
  /** What a restore brings back of it: path and object, without the fields that every cluster gives anew. */
  readonly back: ReadonlyMap<string, string>;
};

/** What clusters make and renew by themselves. */
const ofTheCluster =
  /^(events|events\.events\.k8s\.io|csinodes\.storage\.k8s\.io)\/|^leases\.[^/]+\/namespaces\/kube-/;

export async function readTree(folder: string): Promise<SavedTree> {
  const back: [string, string][] = [];
  let files = 0;
  for await (const { file } of walkTree(folder)) {
    files += 1;
    const path = relative(folder, file);
    const object = load(await readFile(file, "utf8")) as KubeObject;
    if (!ofTheCluster.test(path) && !hasEnded(object)) back.push([path, JSON.stringify(lasting(object))]);
  }
  return { files, back: new Map(back.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

function hasEnded(object: KubeObject): boolean {
  if (object.kind === "Pod") return ["Succeeded", "Failed"].includes(textAt(object, "status", "phase") ?? "");
  const conditions = listAt(object, "status", "conditions");
  return object.kind === "Job" && conditions.some((one) => textAt(one as object, "type") === "Complete");
}

const jobLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/** Without uids of other objects, and without status, which no restore writes (spec: kubedump, A8). */
function lasting(object: KubeObject): unknown {
  const { ownerReferences, ...metadata } = object.metadata;
  const owners = ownerReferences?.map(({ uid: _uid, ...owner }: OwnerReference) => owner);
  const left = withoutField(
    { ...object, metadata: { ...metadata, ...(owners ? { owners } : {}) } },
    "status",
  );
  if (object.kind === "PersistentVolume")
    return withoutField(withoutField(left, "spec", "claimRef", "uid"), "spec", "claimRef", "resourceVersion");
  if (object.kind !== "Job") return left;
  const selector = withField(left, ["spec", "selector"], Object.keys(fieldsAt(left, "spec", "selector")));
  return [["metadata"], ["spec", "template", "metadata"]].reduce(
    (job, path) => jobLabels.reduce((rest, label) => withoutField(rest, ...path, "labels", label), job),
    selector,
  );
}
