import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { labelSelectorText } from "../../api/label-query.ts";
import { apiVersionOf } from "../../api/meta.ts";
import { fileNotWritten } from "../../base/file-error.ts";
import type { Discovery, Kube } from "../../ports/kube/kube.ts";
import { filterWarnings } from "./filter-warnings.ts";
import { isDumpable, listsFor, type ManifestList } from "./lists-for.ts";
import {
  groupResourceName,
  type ManifestFilter,
  mayTakeGroup,
  takesLabels,
  takesPlace,
  takesType,
} from "./manifest-filter.ts";
import { folderOfType } from "./manifest-tree.ts";
import { createManifestWriter, type DumpCounts, type ManifestWriter } from "./manifest-writer.ts";
import { createMissingParts, type MissingParts } from "./missing-parts.ts";
import { nameOfList, type ReadingEvent, readLists } from "./read-lists.ts";
import { surroundingsOfDump } from "./surroundings.ts";

const writesInOneGo = 25;

/**
 * Groups of which nothing can be created (k8s.io/metrics), so that a server of theirs that is down hides nothing. An
 * API server that was restarted since then lists none of their types.
 */
const readOnlyGroups: ReadonlySet<string> = new Set([
  "metrics.k8s.io",
  "custom.metrics.k8s.io",
  "external.metrics.k8s.io",
]);

export type DumpProgress = {
  readonly files: number;
  /** Lists that are done, and all. */
  readonly done: number;
  readonly of: number;
  /** `deployments.apps in namespace shop` */
  readonly reading: string;
};

export type DumpRequest = {
  readonly kube: Kube;
  readonly filter: ManifestFilter;
  /** Folder of the tree; made anew. */
  readonly tree: string;
  readonly log: (line: string) => void;
  readonly onProgress?: (progress: DumpProgress) => void;
  readonly signal: AbortSignal;
};

export type Dump = DumpCounts & {
  readonly missing: readonly string[];
  /** Names of the filter that choose nothing. */
  readonly warnings: readonly string[];
};

type Dumping = DumpRequest & { readonly missing: MissingParts; readonly writer: ManifestWriter };

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
  const writer = createManifestWriter(tree, missing);
  const dumping = { ...request, missing, writer };
  const discovery = await kube.discover(signal);
  nameBrokenGroups(dumping, discovery);
  const surroundings = await surroundingsOfDump(kube, filter, { discovery, signal });
  const warnings = filterWarnings(filter, surroundings);
  for (const warning of warnings) log(warning);
  const lists = listsFor(discovery.resources, filter);
  const labelSelector = labelSelectorText(filter.allOf);
  await writeAll(dumping, lists, readLists({ kube, lists, labelSelector, signal }));
  return { ...writer.counts(), missing: missing.list(), warnings };
}

/** A group that does not answer is missing if anything in it could be dumped. */
function nameBrokenGroups({ filter, missing, log }: Dumping, { failures, resources }: Discovery): void {
  for (const { groupVersion, message } of failures) {
    const slash = groupVersion.indexOf("/");
    const group = slash < 0 ? "" : groupVersion.slice(0, slash);
    if (!mayTakeGroup(filter, group)) continue;
    const part = `API group ${groupVersion}: ${message}`;
    const known = resources.filter((type) => apiVersionOf(type) === groupVersion);
    const mayHide =
      known.length === 0
        ? !readOnlyGroups.has(group)
        : known.some((type) => isDumpable(type) && takesType(filter, type));
    if (mayHide) missing.add(part);
    else log(`${part}; nothing in it would be dumped`);
  }
}

/** Writes the pages while the next one is on its way, whichever list that belongs to. */
async function writeAll(
  dumping: Dumping,
  lists: readonly ManifestList[],
  events: AsyncIterable<ReadingEvent>,
): Promise<void> {
  const { tree, writer, missing, log, onProgress } = dumping;
  let takeBack = writer.mark();
  let list: ManifestList | undefined;
  let done = 0;
  for await (const event of oneAhead(events)) {
    if (event.list !== list) {
      list = event.list;
      takeBack = writer.mark();
      done = Math.max(done, lists.indexOf(list));
    }
    switch (event.kind) {
      case "page":
        await writePage(dumping, event);
        break;
      case "afresh":
        // From nothing, so that the tree holds one moment of the list and not two halves.
        takeBack();
        await rm(join(tree, folderOf(list)), { recursive: true, force: true });
        break;
      case "missing":
        missing.add(event.part);
        break;
      case "note":
        log(event.line);
    }
    onProgress?.({ files: writer.counts().files, done, of: lists.length, reading: nameOfList(list) });
  }
}

function folderOf({ type, namespace }: ManifestList): string {
  return namespace === undefined ? groupResourceName(type) : folderOfType(type, namespace);
}

async function writePage(
  { filter, writer, signal }: Dumping,
  { list, items }: Extract<ReadingEvent, { readonly kind: "page" }>,
): Promise<void> {
  const wanted = items.filter(
    (item) => takesPlace(filter, item.metadata.namespace) && takesLabels(filter, item),
  );
  for (const [index, item] of wanted.entries()) {
    // The next page comes in meanwhile, and whoever ends this is heard.
    if (index % writesInOneGo === 0) await setImmediate(undefined, { signal });
    writer.write(list.type, item);
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
