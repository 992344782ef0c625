import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { labelSelectorText } from "../../api/label-query.ts";
import { messageOf } from "../../base/errors.ts";
import { fileNotWritten } from "../../base/file-error.ts";
import type { DiscoveredResource, Discovery, Kube } from "../../ports/kube/kube.ts";
import { isKubeError, KubeError } from "../../ports/kube/kube-error.ts";
import {
  groupResourceName,
  type ManifestFilter,
  mayTakeGroup,
  takesLabels,
  takesPlace,
  takesType,
  unknownTypes,
} from "./manifest-filter.ts";
import { folderOfType } from "./manifest-tree.ts";
import { createManifestWriter, type ManifestWriter } from "./manifest-writer.ts";
import { createMissingParts, type MissingParts } from "./missing-parts.ts";

const pageSize = 250;
const writesInOneGo = 25;
/** How often a list is begun again after its continue token expired. */
const listAttempts = 3;

/** Never dumped, whatever is included. */
const neverDumped: ReadonlySet<string> = new Set(["nodes", "endpointslices.discovery.k8s.io"]);

export type DumpRequest = {
  readonly kube: Kube;
  readonly filter: ManifestFilter;
  /** Folder of the tree; made anew. */
  readonly tree: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

export type Dump = {
  readonly objects: number;
  readonly missing: readonly string[];
};

type Dumping = DumpRequest & { readonly missing: MissingParts; readonly write: ManifestWriter };

/**
 * Writes every object that the filter takes, page by page, one file each. What cannot be read (a broken API
 * group, a type that this account may not list, a type that went away) is named in `missing`, and the rest
 * is saved. Throws only when the API server cannot be asked at all or the disk refuses.
 */
export async function dumpManifests(request: DumpRequest): Promise<Dump> {
  const { kube, filter, tree, log, signal } = request;
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
    throw fileNotWritten(tree, thrown);
  });
  const missing = createMissingParts();
  const dumping = { ...request, missing, write: createManifestWriter(tree, missing) };
  const discovery = await kube.discover(signal);
  nameBrokenGroups(dumping, discovery);
  const types = dumpableTypes(discovery);
  for (const name of unknownTypes(filter, discovery.resources)) {
    log(`no type ${name} in this cluster: check the resource lists`);
  }
  let objects = 0;
  for (const type of types) {
    if (!takesType(filter, type)) continue;
    signal.throwIfAborted();
    objects += await dumpType(dumping, type);
  }
  return { objects, missing: dumping.missing.list() };
}

/** One version of each type that can be listed and created again. */
function dumpableTypes(discovery: Discovery): readonly DiscoveredResource[] {
  const can = (type: DiscoveredResource) => type.verbs.includes("list") && type.verbs.includes("create");
  return discovery.resources
    .filter((type) => type.preferred && can(type) && !neverDumped.has(groupResourceName(type)))
    .toSorted((a, b) => (groupResourceName(a) < groupResourceName(b) ? -1 : 1));
}

function nameBrokenGroups({ filter, missing }: Dumping, discovery: Discovery): void {
  for (const { groupVersion, message } of discovery.failures) {
    const slash = groupVersion.indexOf("/");
    const group = slash < 0 ? "" : groupVersion.slice(0, slash);
    if (mayTakeGroup(filter, group)) missing.add(`API group ${groupVersion}: ${message}`);
  }
}

async function dumpType(dumping: Dumping, type: DiscoveredResource): Promise<number> {
  const { filter } = dumping;
  if (!type.namespaced) return filter.clusterResources ? await dumpList(dumping, type, undefined) : 0;
  if (filter.includeNamespaces === undefined) return await dumpList(dumping, type, undefined);
  let objects = 0;
  for (const namespace of filter.includeNamespaces) {
    if (takesPlace(filter, namespace)) objects += await dumpList(dumping, type, namespace);
  }
  return objects;
}

/** Lists one type (in one namespace, or everywhere) and writes what passes; a failure names the type. */
async function dumpList(
  dumping: Dumping,
  type: DiscoveredResource,
  namespace: string | undefined,
): Promise<number> {
  const where = `${groupResourceName(type)}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;
  for (let attempt = 1; ; attempt += 1) {
    let written = 0;
    try {
      for await (const count of dumpPages(dumping, type, namespace)) written += count;
      return written;
    } catch (thrown) {
      if (dumping.signal.aborted || !isOfOneType(thrown)) throw thrown;
      if (!isKubeError(thrown, 410) || attempt === listAttempts) {
        dumping.missing.add(`${where}: ${messageOf(thrown)}`);
        return written;
      }
      // Begun again from nothing, so that the tree holds one moment of the type and not two halves.
      const folder = namespace === undefined ? groupResourceName(type) : folderOfType(type, namespace);
      await rm(join(dumping.tree, folder), { recursive: true, force: true });
    }
  }
}

/** An answer of the server about this type; without an answer, the others cannot be read either. */
function isOfOneType(thrown: unknown): boolean {
  return thrown instanceof KubeError && thrown.reason !== "ApiServerUnreachable";
}

async function* dumpPages(
  dumping: Dumping,
  type: DiscoveredResource,
  namespace: string | undefined,
): AsyncGenerator<number> {
  const { kube, filter, signal } = dumping;
  const labelSelector = labelSelectorText(filter.allOf);
  const pages = kube.list(type, {
    limit: pageSize,
    signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  });
  for await (const page of oneAhead(pages)) {
    const wanted = page.items.filter(
      (item) => takesPlace(filter, item.metadata.namespace) && takesLabels(filter, item),
    );
    let written = 0;
    for (const [index, item] of wanted.entries()) {
      // The next page comes in meanwhile, and whoever ends this is heard.
      if (index % writesInOneGo === 0) await setImmediate(undefined, { signal });
      if (dumping.write(type, item)) written += 1;
    }
    yield written;
  }
}

/** Asks for the next one while this one is worked on. */
async function* oneAhead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const source = items[Symbol.asyncIterator]();
  try {
    let coming = source.next();
    for (let item = await coming; item.done !== true; item = await coming) {
      coming = source.next();
      // It is told when it is awaited.
      coming.catch(() => undefined);
      yield item.value;
    }
  } finally {
    await source.return?.();
  }
}
