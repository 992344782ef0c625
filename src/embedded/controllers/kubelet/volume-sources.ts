import { lstat, mkdir, stat } from "node:fs/promises";
import type { KubeObject } from "../../../api/meta.ts";
import type { JsonObject } from "../../../base/json.ts";
import { ephemeralClaim } from "../../pod-claims.ts";
import { at, isObject, listAt, numberAt, objectAt, textAt } from "../../value.ts";
import { fieldOf, resourceOf, type SourceReader } from "./environment.ts";
import { NotReady } from "./not-ready.ts";
import { containersOf } from "./pod-spec.ts";

/** What a volume of a pod is on this machine. */
export type VolumeSource =
  /** An emptyDir: a directory that lives as long as the pod. */
  | { readonly kind: "empty" }
  /** A claim's or the host's directory or file. */
  | { readonly kind: "path"; readonly path: string }
  /** Secrets, ConfigMaps and the like: files by their path below the mount. */
  | { readonly kind: "files"; readonly files: ReadonlyMap<string, VolumeFile> };

export type VolumeFile = { readonly content: Buffer; readonly mode: number };

export type VolumeReader = SourceReader & {
  readonly claim: (name: string) => Promise<KubeObject | undefined>;
  readonly volume: (name: string) => Promise<KubeObject | undefined>;
  /** A new token of the pod's service account. */
  readonly token: (audience: string | undefined, expirationSeconds: number) => Promise<string>;
};

const defaultFileMode = 0o644;

/** Finds what a volume is. Throws NotReady when something that it names is missing or not done here. */
export async function sourceOf(
  pod: KubeObject,
  volume: JsonObject,
  read: VolumeReader,
): Promise<VolumeSource> {
  const name = textAt(volume, "name");
  if (isObject(volume["emptyDir"])) return { kind: "empty" };
  if (isObject(volume["hostPath"])) return hostPath(name, volume["hostPath"]);
  if (isObject(volume["persistentVolumeClaim"])) {
    return claimed(textAt(volume, "persistentVolumeClaim", "claimName"), read);
  }
  if (isObject(volume["ephemeral"])) return claimed(ephemeralClaim(pod, volume), read);
  const part = await filesOf(pod, volume, read, { volumeName: name });
  if (part !== undefined) return { kind: "files", files: part };
  if (isObject(volume["projected"])) {
    const files = new Map<string, VolumeFile>();
    const mode = numberAt(volume, "projected", "defaultMode") ?? defaultFileMode;
    for (const source of listAt(volume, "projected", "sources")) {
      const found = isObject(source)
        ? await filesOf(pod, source, read, { volumeName: name, mode })
        : undefined;
      if (found === undefined) throw refused(name, isObject(source) ? source : {});
      for (const [path, file] of found) files.set(path, file);
    }
    return { kind: "files", files };
  }
  throw refused(name, volume);
}

function refused(name: string, volume: JsonObject): NotReady {
  const kinds = Object.keys(volume).filter((field) => field !== "name");
  return new NotReady(
    "volumes",
    `volume "${name}" is of the kind ${kinds.join(", ")}, which the embedded cluster does not do: use a claim, hostPath, emptyDir, secret, configMap, downwardAPI or projected, or another cluster`,
  );
}

async function filesOf(
  pod: KubeObject,
  source: JsonObject,
  read: VolumeReader,
  about: { readonly volumeName: string; readonly mode?: number },
): Promise<ReadonlyMap<string, VolumeFile> | undefined> {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  const { volumeName } = about;
  const mode = (of: JsonObject) => numberAt(of, "defaultMode") ?? about.mode ?? defaultFileMode;
  if (isObject(secret)) {
    const name = textAt(secret, "secretName") || textAt(secret, "name");
    const object = await read.secret(name);
    const data = decoded(object, "data", "base64");
    return picked(secret, data, object === undefined, {
      volumeName,
      what: `secret "${name}"`,
      mode: mode(secret),
    });
  }
  if (isObject(configMap)) {
    const name = textAt(configMap, "name");
    const object = await read.configMap(name);
    const data = new Map([...decoded(object, "data", "utf8"), ...decoded(object, "binaryData", "base64")]);
    const what = `configmap "${name}"`;
    return picked(configMap, data, object === undefined, { volumeName, what, mode: mode(configMap) });
  }
  if (isObject(downwardAPI)) return downward(pod, downwardAPI, mode(downwardAPI));
  if (isObject(serviceAccountToken)) {
    const audience = textAt(serviceAccountToken, "audience") || undefined;
    const seconds = numberAt(serviceAccountToken, "expirationSeconds") ?? 3_600;
    const token = await read.token(audience, seconds);
    const path = textAt(serviceAccountToken, "path");
    return new Map([[path, { content: Buffer.from(token), mode: 0o600 }]]);
  }
  return undefined;
}

function decoded(
  object: KubeObject | undefined,
  field: string,
  encoding: "utf8" | "base64",
): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(objectAt(object, field));
  return new Map(entries.map(([key, value]) => [key, Buffer.from(String(value), encoding)]));
}

function picked(
  source: JsonObject,
  data: ReadonlyMap<string, Buffer>,
  absent: boolean,
  about: { readonly volumeName: string; readonly what: string; readonly mode: number },
): ReadonlyMap<string, VolumeFile> {
  const optional = at(source, "optional") === true;
  const failed = (message: string) =>
    new NotReady("volumes", `MountVolume.SetUp failed for volume "${about.volumeName}" : ${message}`);
  if (absent && !optional) throw failed(`${about.what} not found`);
  const files = new Map<string, VolumeFile>();
  const items = listAt(source, "items");
  if (items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode: about.mode });
    return files;
  }
  for (const item of items) {
    const key = textAt(item, "key");
    const content = data.get(key);
    if (content === undefined) {
      if (optional) continue;
      throw failed(`references non-existent ${about.what} key: ${key}`);
    }
    files.set(textAt(item, "path"), { content, mode: numberAt(item, "mode") ?? about.mode });
  }
  return files;
}

function downward(pod: KubeObject, source: JsonObject, mode: number): ReadonlyMap<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  for (const item of listAt(source, "items")) {
    const ref = at(item, "resourceFieldRef");
    const text = isObject(ref)
      ? resourceOf(pod, containersOf(pod)[0] ?? {}, ref)
      : fieldOf(pod, textAt(item, "fieldRef", "fieldPath"));
    files.set(textAt(item, "path"), { content: Buffer.from(text), mode: numberAt(item, "mode") ?? mode });
  }
  return files;
}

async function claimed(name: string, read: VolumeReader): Promise<VolumeSource> {
  const claim = await read.claim(name);
  if (claim === undefined) throw new NotReady("scheduling", `persistentvolumeclaim "${name}" not found`);
  if (claim.metadata.deletionTimestamp !== undefined) {
    throw new NotReady("scheduling", `persistentvolumeclaim "${name}" is being deleted`);
  }
  if (textAt(claim, "status", "phase") !== "Bound") {
    throw new NotReady("scheduling", `pod has unbound immediate PersistentVolumeClaims: ${name}`);
  }
  const volumeName = textAt(claim, "spec", "volumeName");
  const volume = await read.volume(volumeName);
  const path = textAt(volume, "spec", "hostPath", "path") || textAt(volume, "spec", "local", "path");
  if (volume === undefined) throw new NotReady("volumes", `persistentvolume "${volumeName}" not found`);
  if (path === "") {
    throw new NotReady(
      "volumes",
      `persistentvolume "${volumeName}" has no hostPath or local directory, which is all that the embedded cluster can mount`,
    );
  }
  if (isObject(at(volume, "spec", "hostPath")))
    return hostPath(volumeName, objectAt(volume, "spec", "hostPath"));
  return hostPath(volumeName, { path, type: "Directory" });
}

/** The `type` checks of Kubernetes' hostPath. */
async function hostPath(name: string, source: JsonObject): Promise<VolumeSource> {
  const path = textAt(source, "path");
  const type = textAt(source, "type");
  const failed = (message: string) =>
    new NotReady("volumes", `MountVolume.SetUp failed for volume "${name}" : hostPath ${message}`);
  if (!path.startsWith("/")) throw failed(`path "${path}" is not absolute`);
  if (!["", "Directory", "DirectoryOrCreate", "File"].includes(type)) {
    throw failed(`type ${type} is not done by the embedded cluster`);
  }
  if (type === "DirectoryOrCreate" && (await lstat(path).catch(() => undefined)) === undefined) {
    await mkdir(path, { recursive: true, mode: 0o755 });
  }
  const found = await stat(path).catch(() => undefined);
  if (type.startsWith("Directory") && !found?.isDirectory())
    throw failed(`type check failed: ${path} is not a directory`);
  if (type === "File" && !found?.isFile()) throw failed(`type check failed: ${path} is not a file`);
  if (found === undefined) throw failed(`${path} does not exist`);
  return { kind: "path", path };
}
