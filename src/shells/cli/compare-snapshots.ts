import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { oneLine } from "../../base/printable.ts";
import type { ResticNode } from "../../ports/restic/restic.ts";
import { type ChangeTotals, changesWriter } from "./changes-writer.ts";
import { compareNodes, type NodeChange } from "./compare-nodes.ts";
import { manifestFields } from "./manifest-fields.ts";
import { type OpenComponent, type OpenSnapshot, openSnapshot } from "./open-snapshot.ts";
import { outlet } from "./outlet.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { type ReaderContext, readerContext } from "./reader-context.ts";
import type { KubeOptions, OutputOptions } from "./remote-options.ts";
import type { Shell } from "./shell.ts";

export type CompareRequest = KubeOptions &
  OutputOptions & { readonly namespace?: string; readonly component?: string; readonly exitCode?: boolean };

/** Prints what differs between the files of two Snapshots, component by component, while it is read. */
export async function compareSnapshots(
  names: readonly [string, string],
  request: CompareRequest,
  shell: Shell,
): Promise<void> {
  await withPrivateFolder("diff", (folder) => compareIn(folder, names, request, shell));
}

async function compareIn(
  folder: string,
  [from, to]: readonly [string, string],
  request: CompareRequest,
  shell: Shell,
): Promise<void> {
  const context = await readerContext(request, shell);
  const given = { namespace: request.namespace, only: request.component };
  const before = await openSnapshot(context, from, given);
  const after = await openSnapshot(context, to, given);
  for (const snapshot of [before, after]) refuseClosed(snapshot);
  const totals = noTotals();
  const fieldsOf = manifestFields(context, [before, after], folder);
  const out = outlet(process.stdout);
  const writer = changesWriter(request.output, out.write);
  let differs = false;
  await writer.begin(`${before.namespace}/${before.name}`, `${after.namespace}/${after.name}`);
  for (const { component, lists } of pairsOf(context, before, after)) {
    for await (const change of compareNodes(lists)) {
      if (out.closed()) return;
      differs = true;
      count(totals, change);
      const fields = await fieldsOf({ component, ...change });
      await writer.change({ component, ...change, ...(fields === undefined ? {} : { fields }) });
    }
  }
  await writer.end(totals);
  await out.flush();
  if (differs && request.exitCode === true) shell.setExitCode(ExitCode.planHasChanges);
}

/** Half of a list would say that the other half was removed. */
function refuseClosed({ shown, closed, partial }: OpenSnapshot): void {
  const [first] = closed;
  if (first !== undefined) {
    throw new HoldfastError(first.error.reason, first.error.message, {
      disposition: "stall",
      next: "name a component that both have with --component",
    });
  }
  if (partial !== undefined)
    process.stderr.write(
      `holdfast: ${shown} is partial, a part of its source is not in it: ${oneLine(partial)}\n`,
    );
}

function pairsOf(context: ReaderContext, before: OpenSnapshot, after: OpenSnapshot) {
  const names = [...before.components, ...after.components].map(({ name }) => name);
  return [...new Set(names)].sort().flatMap((component) => {
    const old = before.components.find(({ name }) => name === component);
    const now = after.components.find(({ name }) => name === component);
    const paths = [...(old?.paths ?? []), ...(now?.paths ?? [])].map(({ hostPath }) => hostPath);
    return [...new Set(paths)]
      .sort()
      .map((path) => ({ component, lists: listsOf(context, { old, now, path }) }));
  });
}

type Pair = {
  readonly old: OpenComponent | undefined;
  readonly now: OpenComponent | undefined;
  readonly path: string;
};

/** In one restic repository restic knows which contents are equal; between two of them, size and time have to do. */
function listsOf(context: ReaderContext, { old, now, path }: Pair) {
  const { restic, signal } = context;
  const idIn = (one: OpenComponent | undefined) => one?.paths.find(({ hostPath }) => hostPath === path)?.id;
  const [oldId, nowId] = [idIn(old), idIn(now)];
  const list = (one: OpenComponent | undefined, id: string | undefined) =>
    one === undefined || id === undefined ? nothing() : restic.list(one.repository, id, path, { signal });
  const lists = { before: list(old, oldId), after: list(now, nowId) };
  const together = old?.repository.url === now?.repository.url;
  if (!together || old === undefined || oldId === undefined || nowId === undefined) return lists;
  return { ...lists, changed: restic.changed(old.repository, [oldId, nowId], signal) };
}

async function* nothing(): AsyncGenerator<ResticNode, void, void> {}

export function noTotals(): ChangeTotals {
  return {
    added: { files: 0, bytes: 0 },
    removed: { files: 0, bytes: 0 },
    changed: { files: 0, bytesBefore: 0, bytesAfter: 0 },
  };
}

export function count(totals: ChangeTotals, { change, before, after }: NodeChange): void {
  if (change === "changed") {
    if (before === undefined && after === undefined) return;
    totals.changed.files += 1;
    totals.changed.bytesBefore += before ?? 0;
    totals.changed.bytesAfter += after ?? 0;
    return;
  }
  const bytes = change === "added" ? after : before;
  if (bytes === undefined) return;
  totals[change].files += 1;
  totals[change].bytes += bytes;
}
