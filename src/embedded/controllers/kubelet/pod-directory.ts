import { chmod, lstat, mkdir, readlink, realpath, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative, sep } from "node:path";
import type { KubeObject } from "../../../api/meta.ts";
import type { JsonObject } from "../../../base/json.ts";
import { isObject, listAt, textAt } from "../../value.ts";
import { type Environment, expand } from "./environment.ts";
import { NotReady } from "./not-ready.ts";
import { containersOf, initContainersOf } from "./pod-spec.ts";
import type { VolumeFile, VolumeSource } from "./volume-sources.ts";

/** Where the parts of one pod lie on disk: below `<state>/pods/<uid>`. */
export type PodDirectory = {
  readonly path: string;
  /** What stands for `/` of a container: `root` for the first one, `root.<name>` for every other. */
  readonly rootOf: (container: string) => string;
  readonly logOf: (container: string) => string;
  /** What is known of a container's process, for the next kubelet. */
  readonly recordOf: (container: string) => string;
  readonly kubeconfig: string;
};

export function podDirectory(stateDirectory: string, pod: KubeObject): PodDirectory {
  const path = join(stateDirectory, "pods", safeSegment(pod.metadata.uid ?? ""));
  const first = textAt(containersOf(pod)[0], "name");
  return {
    path,
    rootOf: (name) => join(path, name === first ? "root" : `root.${safeSegment(name)}`),
    logOf: (name) => join(path, "logs", `${safeSegment(name)}.log`),
    recordOf: (name) => join(path, "processes", `${safeSegment(name)}.json`),
    kubeconfig: join(path, "kubeconfig"),
  };
}

/**
 * Takes away what a finished pod no longer needs: its emptyDirs, the copies of Secrets and the kubeconfig.
 * What it linked to stays, and so do its logs until the pod itself goes.
 */
export async function removeRoots(pod: KubeObject, directory: PodDirectory): Promise<void> {
  const containers = [...containersOf(pod), ...initContainersOf(pod)];
  const roots = containers.map((container) => directory.rootOf(textAt(container, "name")));
  for (const path of [directory.kubeconfig, join(directory.path, "volumes"), ...roots]) {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Names that an API server has validated hold no separator; one that does is refused all the same. */
function safeSegment(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new NotReady("config", `"${name}" cannot be the name of a file`);
}

type Mount = {
  readonly container: string;
  readonly volume: string;
  /** Relative to the root, without a leading slash. */
  readonly path: string;
  readonly subPath: string;
};

/**
 * Builds the containers' roots: a link to the directory for claims and host paths, real files for Secrets and
 * the like, and for an emptyDir a real directory at the first place that mounts it and links elsewhere.
 * Safe to repeat; what containers wrote stays. Throws NotReady for a mount that cannot be made here.
 */
export async function buildRoots(
  pod: KubeObject,
  directory: PodDirectory,
  sources: ReadonlyMap<string, VolumeSource>,
  environments: ReadonlyMap<string, Environment>,
): Promise<void> {
  const containers = [...containersOf(pod), ...initContainersOf(pod)];
  const mounts = containers.flatMap((container) =>
    mountsOf(container, environments.get(textAt(container, "name")) ?? {}),
  );
  const homes = homesOfEmptyDirs(directory, sources, mounts);
  for (const container of containers) {
    const root = directory.rootOf(textAt(container, "name"));
    for (const place of ["dev", "tmp"]) await mkdir(join(root, place), { recursive: true, mode: 0o700 });
  }
  // Parents before children. Parts of volumes come last, when the volumes are where they belong.
  const ordered = mounts.toSorted(
    (a, b) => Number(a.subPath !== "") - Number(b.subPath !== "") || depth(a) - depth(b),
  );
  for (const home of homes.values()) {
    if (home.startsWith(join(directory.path, "volumes") + sep)) await mkdir(home, { recursive: true });
  }
  for (const mount of ordered) {
    const source = sources.get(mount.volume);
    if (source === undefined) {
      throw new NotReady(
        "volumes",
        `container "${mount.container}" mounts the volume "${mount.volume}", which the pod does not have`,
      );
    }
    await placeMount(directory.rootOf(mount.container), mount, source, homes.get(mount.volume) ?? "");
  }
}

function mountsOf(container: JsonObject, environment: Environment): readonly Mount[] {
  const name = textAt(container, "name");
  return listAt(container, "volumeMounts")
    .filter(isObject)
    .map((mount) => {
      const expression = textAt(mount, "subPathExpr");
      const subPath = expression === "" ? textAt(mount, "subPath") : expand(expression, environment);
      const path = posix
        .normalize(`/${textAt(mount, "mountPath")}`)
        .slice(1)
        .replace(/\/$/, "");
      const volume = textAt(mount, "name");
      const problem = `container "${name}", mount of the volume "${volume}"`;
      if (path === "") throw new NotReady("volumes", `${problem}: a volume cannot stand for / here`);
      if (subPath.startsWith("/") || subPath.split("/").includes("..")) {
        throw new NotReady("config", `${problem}: subPath "${subPath}" leaves the volume`);
      }
      return { container: name, volume, path, subPath };
    });
}

function depth(mount: Mount): number {
  return mount.path.split("/").length;
}

/** Where each emptyDir's directory really is. */
function homesOfEmptyDirs(
  directory: PodDirectory,
  sources: ReadonlyMap<string, VolumeSource>,
  mounts: readonly Mount[],
): ReadonlyMap<string, string> {
  const homes = new Map<string, string>();
  for (const [volume, source] of sources) {
    if (source.kind !== "empty") continue;
    const first = mounts.find((mount) => mount.volume === volume && mount.subPath === "");
    homes.set(
      volume,
      first === undefined
        ? join(directory.path, "volumes", volume)
        : join(directory.rootOf(first.container), first.path),
    );
  }
  return homes;
}

async function placeMount(root: string, mount: Mount, source: VolumeSource, home: string): Promise<void> {
  const place = join(root, mount.path);
  await realDirectory(root, dirname(mount.path), mount);
  if (source.kind === "files") {
    await writeFiles(root, source.files, mount);
    return;
  }
  const from = source.kind === "path" ? source.path : home;
  if (from === place) {
    await realDirectory(root, mount.path, mount);
    return;
  }
  await link(place, mount.subPath === "" ? from : await subPathOf(from, mount.subPath));
}

/** Makes the directory, and sees that no part of it is a link into a volume: there a mount point would be data. */
async function realDirectory(root: string, path: string, mount: Mount): Promise<void> {
  let here = root;
  for (const segment of path.split("/").filter((part) => part !== "" && part !== ".")) {
    here = join(here, segment);
    const found = await lstat(here).catch(() => undefined);
    if (found === undefined) await mkdir(here, { mode: 0o755 });
    else if (!found.isDirectory()) {
      throw new NotReady(
        "volumes",
        `container "${mount.container}" mounts the volume "${mount.volume}" at /${mount.path}, inside the mount /${relative(root, here)}: the embedded cluster cannot nest mounts in a claim or host path`,
      );
    }
  }
}

async function subPathOf(volume: string, subPath: string): Promise<string> {
  const path = join(volume, subPath);
  if ((await lstat(path).catch(() => undefined)) === undefined) {
    await mkdir(path, { recursive: true, mode: 0o755 });
  }
  const [inside, outside] = await Promise.all([realpath(path), realpath(volume)]);
  if (inside !== outside && !inside.startsWith(outside + sep)) {
    throw new NotReady("config", `subPath "${subPath}" leaves the volume through a symbolic link`);
  }
  return inside;
}

async function link(place: string, target: string): Promise<void> {
  const found = await lstat(place).catch(() => undefined);
  if (found?.isSymbolicLink() && (await readlink(place)) === target) return;
  if (found?.isDirectory()) {
    // The empty /tmp or /dev of a root gives way; a directory with something in it is another mount's.
    await rmdir(place).catch((cause: unknown) => {
      const message = `another volume is mounted at or below ${place}, which the embedded cluster cannot do`;
      throw new NotReady("volumes", message, cause);
    });
  } else if (found !== undefined) await rm(place);
  await symlink(target, place);
}

async function writeFiles(root: string, files: ReadonlyMap<string, VolumeFile>, mount: Mount): Promise<void> {
  const place = join(root, mount.path);
  if (mount.subPath !== "") {
    const one = files.get(mount.subPath);
    if (one !== undefined) return writeOne(place, one);
    const inside = [...files].filter(([path]) => path.startsWith(`${mount.subPath}/`));
    const below = new Map(inside.map(([path, file]) => [path.slice(mount.subPath.length + 1), file]));
    return writeFiles(root, below, { ...mount, subPath: "" });
  }
  // Never through a link: a Secret must not be written into somebody's volume.
  await realDirectory(root, mount.path, mount);
  for (const [path, file] of files) {
    const target = join(place, posix.normalize(`/${path}`));
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeOne(target, file);
  }
}

async function writeOne(path: string, file: VolumeFile): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, file.content, { mode: 0o600 });
  await chmod(path, file.mode & 0o777);
}
