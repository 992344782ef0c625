import { join, relative } from "node:path";
import { ExitCode } from "../../base/exit-code.ts";
import { oneLine } from "../../base/printable.ts";
import { type ChangeSince, changesSince } from "../../mover/manifests/changes-since.ts";
import { createValueDigest } from "../../mover/manifests/value-digest.ts";
import { changesWriter } from "./changes-writer.ts";
import { type CompareRequest, count, noTotals } from "./compare-snapshots.ts";
import { downloadComponent } from "./download-component.ts";
import { type OpenComponent, openSnapshot } from "./open-snapshot.ts";
import { outlet } from "./outlet.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { progressLine } from "./progress-line.ts";
import { type ReaderContext, readerContext } from "./reader-context.ts";
import type { Shell } from "./shell.ts";
import { usage } from "./usage.ts";

type Since = { readonly component: string; readonly path: string } & ChangeSince;

/** Prints what became in the cluster of the objects that a Snapshot holds; ends with 3 when some could not be read. */
export async function compareWithCluster(text: string, request: CompareRequest, shell: Shell): Promise<void> {
  const context = await readerContext(request, shell);
  const snapshot = await openSnapshot(context, text, {
    namespace: request.namespace,
    only: request.component,
  });
  const components = snapshot.components.filter(({ manifests }) => manifests);
  if (components.length === 0)
    throw usage(`${snapshot.shown} holds no manifests`, "name another Snapshot to compare files with");
  const totals = noTotals();
  const out = outlet(process.stdout);
  const writer = changesWriter(request.output, out.write);
  let differs = false;
  await writer.begin(`${snapshot.namespace}/${snapshot.name}`, "cluster");
  await withPrivateFolder("diff", async (folder) => {
    for await (const { component, path, ...one } of since(context, components, folder)) {
      if (out.closed()) return;
      if (one.change === "unknown") {
        process.stderr.write(`holdfast: ${oneLine(`${path} could not be compared: ${one.why}`)}\n`);
        shell.setExitCode(ExitCode.partial);
        continue;
      }
      const { file: _file, ...told } = one;
      const change = { path, type: "file" as const, ...told };
      differs = true;
      count(totals, change);
      await writer.change({ component, ...change });
    }
  });
  if (out.closed()) return;
  await writer.end(totals);
  await out.flush();
  if (differs && request.exitCode === true) shell.setExitCode(ExitCode.planHasChanges);
}

async function* since(
  context: ReaderContext,
  components: readonly OpenComponent[],
  folder: string,
): AsyncGenerator<Since, undefined> {
  const showSecret = createValueDigest();
  for (const component of components) {
    const { name } = component;
    const root = join(folder, name);
    const line = progressLine(name);
    const options = { folder: root, path: undefined, mayExist: false, onProgress: line.show };
    const came = await downloadComponent(context, component, options).finally(line.end);
    for (const { at } of came) {
      for await (const one of changesSince({ ...context, tree: at, showSecret }))
        yield { component: name, path: `/${relative(root, one.file)}`, ...one };
    }
  }
}
