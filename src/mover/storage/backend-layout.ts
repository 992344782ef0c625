import type { KubeObject } from "../../api/meta.ts";
import { nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import { fieldAt, fieldsAt, listAt, textAt } from "./fields.ts";
import { folderOf } from "./folder.ts";
import { parseObject, parseYaml } from "./stored-document.ts";
import { yamlOf } from "./yaml-of.ts";

/**
 * What a backend holds beside restic's data, as KubeStash lays it out:
 * ```
 * metadata.yaml
 * <Repository.spec.path>/repository.yaml
 * <Repository.spec.path>/snapshots/<Snapshot>.yaml
 * <Repository.spec.path>/repository/<version>/<session>/<component>/   restic
 * ```
 */
export const metadataKey = "metadata.yaml";

const contentType = "application/x-yaml";

/** One entry of metadata.yaml. */
export type ListedRepository = {
  readonly name: string;
  readonly namespace: string;
  /** As in Repository.spec.path. */
  readonly path: string;
  readonly size?: string;
};

export type BackendMeta = {
  /** RFC 3339. */
  readonly creationTimestamp: string;
  readonly operatorVersion: string;
  readonly repositories: readonly ListedRepository[];
};

/** Repository.spec.path without slashes at its ends. The prefix itself is refused: a wipe would take all. */
export function directoryOf(repository: KubeObject): string {
  const who = nameOf(refOf(repository));
  const directory = folderOf(textAt(repository, "spec", "path") ?? "", `spec.path of ${who}`);
  if (directory !== "") return directory;
  throw new HoldfastError("PathInvalid", `${who} has no directory of its own in spec.path`, {
    disposition: "stall",
    next: "Give the repository a directory in the BackupConfiguration, such as /shop/web.",
  });
}

export function repositoryKey(directory: string): string {
  return `${directory}/repository.yaml`;
}

export function snapshotKey(directory: string, name: string): string {
  return `${directory}/snapshots/${folderOf(name, "name of a Snapshot")}.yaml`;
}

/** The restic repository of one component, below the repository's directory. */
export function componentPath(version: string, session: string, component: string): string {
  const path = `repository/${version}/${session}/${component}`;
  return folderOf(path, "path of a component");
}

/** Undefined when the backend was never initialised. */
export async function readMetadata(objects: Objects): Promise<BackendMeta | undefined> {
  const content = await objects.get(metadataKey);
  if (content === undefined) return undefined;
  const where = `${metadataKey} in ${objects.where}`;
  const value = parseYaml(content, where);
  if (!isFields(value) || value["kind"] !== "BackendMeta") {
    throw new HoldfastError("DocumentUnreadable", `${where} is not a BackendMeta`, {
      disposition: "stall",
      next: "Point the BackupStorage at another prefix, or bring back an intact metadata.yaml.",
    });
  }
  return {
    creationTimestamp: textAt(value, "creationTimestamp") ?? "",
    operatorVersion: textAt(value, "operatorVersion") ?? "",
    repositories: listAt(value, "repositories").flatMap(listedRepository),
  };
}

export async function writeMetadata(objects: Objects, meta: BackendMeta): Promise<void> {
  const document = { apiVersion: "config.kubestash.com/v1alpha1", kind: "BackendMeta", ...meta };
  await putYaml(objects, metadataKey, document);
}

/** Makes the list hold this repository; writes only when something changes, and nothing without metadata.yaml. */
export async function listRepository(objects: Objects, entry: ListedRepository): Promise<void> {
  const meta = await readMetadata(objects);
  if (meta === undefined) return;
  const known = meta.repositories.find((one) => sameRepository(one, entry));
  if (known?.path === entry.path && known.size === (entry.size ?? known.size)) return;
  const merged = { ...known, ...entry };
  const others = meta.repositories.filter((one) => !sameRepository(one, entry));
  await writeMetadata(objects, { ...meta, repositories: [...others, merged].toSorted(byName) });
}

/** Takes out the repositories whose directory is `directory` or lies below it ("" for all). */
export async function unlistRepositories(objects: Objects, directory: string): Promise<void> {
  const meta = await readMetadata(objects);
  if (meta === undefined) return;
  const left = meta.repositories.filter((one) => {
    const path = one.path.replace(/^\/+|\/+$/g, "");
    return directory !== "" && path !== directory && !path.startsWith(`${directory}/`);
  });
  if (left.length !== meta.repositories.length) await writeMetadata(objects, { ...meta, repositories: left });
}

export async function readObject(objects: Objects, key: string): Promise<KubeObject | undefined> {
  const content = await objects.get(key);
  return content === undefined ? undefined : parseObject(content, `${key} in ${objects.where}`);
}

/** Puts the object without what only its cluster knows; nothing is written when the bytes are the same. */
export async function writeObject(objects: Objects, key: string, object: KubeObject): Promise<void> {
  await putYaml(objects, key, forBackend(object));
}

/** The object without managedFields, resourceVersion, uid, owners (their uids mean nothing elsewhere). */
export function forBackend(object: KubeObject): KubeObject {
  const {
    managedFields: _managed,
    resourceVersion: _version,
    uid: _uid,
    ownerReferences: _owners,
    deletionTimestamp: _deleted,
    ...metadata
  } = object.metadata;
  const annotations = Object.entries(fieldsAt(metadata, "annotations")).filter(
    ([name]) => !ofThisCluster.has(name),
  );
  const { annotations: _annotations, ...rest } = metadata;
  return {
    ...object,
    metadata: annotations.length === 0 ? rest : { ...rest, annotations: textMap(annotations) },
  };
}

/** What a person or a commit said about the object in one cluster must not come back in another one. */
const ofThisCluster: ReadonlySet<string> = new Set([
  "holdfast.dev/declared-in",
  "holdfast.dev/allow-wipe-out",
  "holdfast.dev/accept-shrink",
  "kubectl.kubernetes.io/last-applied-configuration",
]);

async function putYaml(objects: Objects, key: string, document: unknown): Promise<void> {
  const content = Buffer.from(yamlOf(document), "utf8");
  const present = await objects.get(key);
  if (present !== undefined && content.equals(present)) return;
  await objects.put(key, content, { contentType });
}

function listedRepository(value: unknown): readonly ListedRepository[] {
  const name = textAt(value, "name");
  const namespace = textAt(value, "namespace");
  const path = textAt(value, "path");
  const size = fieldAt(value, "size");
  if (name === undefined || namespace === undefined || path === undefined) return [];
  return [{ name, namespace, path, ...(typeof size === "string" ? { size } : {}) }];
}

function sameRepository(a: ListedRepository, b: ListedRepository): boolean {
  return a.name === b.name && a.namespace === b.namespace;
}

function byName(a: ListedRepository, b: ListedRepository): number {
  const one = `${a.namespace}/${a.name}`;
  const other = `${b.namespace}/${b.name}`;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function textMap(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
