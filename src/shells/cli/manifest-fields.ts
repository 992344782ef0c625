import { join } from "node:path";
import { toHoldfastError } from "../../base/errors.ts";
import { fieldChanges } from "../../mover/manifests/field-changes.ts";
import { placeOf } from "../../mover/manifests/manifest-tree.ts";
import type { FieldChange } from "../../mover/manifests/object-outcome.ts";
import { readManifest } from "../../mover/manifests/read-manifest.ts";
import { createValueDigest } from "../../mover/manifests/value-digest.ts";
import type { ComponentChange } from "./changes-writer.ts";
import { downloadComponent } from "./download-component.ts";
import type { OpenComponent, OpenSnapshot } from "./open-snapshot.ts";
import type { ReaderContext } from "./reader-context.ts";

/** What changed in a changed manifest; undefined for everything else. */
export type ManifestFields = (change: ComponentChange) => Promise<readonly FieldChange[] | undefined>;

/** Fetches the manifests of both Snapshots below the folder when the first of them is asked for. */
export function manifestFields(
  context: ReaderContext,
  [before, after]: readonly [OpenSnapshot, OpenSnapshot],
  folder: string,
): ManifestFields {
  const showSecret = createValueDigest();
  const trees = new Map<string, Promise<void>>();
  const fetched = async (component: OpenComponent, name: string) => {
    const options = { folder: join(folder, name, component.name), path: undefined, mayExist: false };
    await downloadComponent(context, component, { ...options, onProgress: () => undefined });
  };
  const treeOf = (component: OpenComponent, name: "before" | "after") => {
    const key = `${name}/${component.name}`;
    const tree = trees.get(key) ?? fetched(component, name);
    trees.set(key, tree);
    return tree;
  };
  const read = async (component: OpenComponent, name: "before" | "after", path: string) => {
    const host = component.paths.find(({ hostPath }) => path.startsWith(`${hostPath}/`))?.hostPath ?? "";
    const place = placeOf(join(folder, name, component.name, host), path.slice(host.length + 1));
    if (place === undefined) return undefined;
    await treeOf(component, name);
    return await readManifest(place).catch((thrown: unknown) => {
      const error = toHoldfastError(thrown);
      if (error.disposition === "bug") throw thrown;
      context.log(error.message);
      return undefined;
    });
  };
  return async ({ component, change, type, path }) => {
    const [old, now] = [before, after].map(({ components }) =>
      components.find((one) => one.name === component && one.manifests),
    );
    if (change !== "changed" || type !== "file" || old === undefined || now === undefined) return undefined;
    const from = await read(old, "before", path);
    const to = await read(now, "after", path);
    if (from === undefined || to === undefined) return undefined;
    return fieldChanges(from, to, undefined, showSecret);
  };
}
