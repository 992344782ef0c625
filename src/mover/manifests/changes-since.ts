import { apiVersionOf, type KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { toHoldfastError } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { yamlOf } from "../storage/yaml-of.ts";
import { nameIn } from "./create-object.ts";
import { fieldChanges } from "./field-changes.ts";
import { type ManifestPlace, walkTree } from "./manifest-tree.ts";
import type { FieldChange } from "./object-outcome.ts";
import { readManifest } from "./read-manifest.ts";
import { sanitise } from "./sanitise.ts";
import { readServedTypes, type ServedTypes } from "./served-types.ts";

export type ChangesSince = {
  readonly kube: Kube;
  readonly clock: Clock;
  /** Folder with `<group-resource>/…` */
  readonly tree: string;
  readonly showSecret: (value: unknown) => string;
  readonly signal: AbortSignal;
};

/** What became since of one object of a dump; bytes are those of its manifest. */
export type ChangeSince = { readonly file: string; readonly before: number } & (
  | { readonly change: "removed" }
  | { readonly change: "changed"; readonly after: number; readonly fields: readonly FieldChange[] }
  /** Whether it changed is not known. */
  | { readonly change: "unknown"; readonly why: string }
);

const atOnce = 8;

/**
 * Which objects of a dump are gone from the cluster, and in which fields the others differ now; a status does not
 * count, because no restore brings it back. Objects that came since are not looked for. Nothing is written.
 */
export async function* changesSince(request: ChangesSince): AsyncGenerator<ChangeSince, undefined> {
  const types = await readServedTypes(request.kube, request.clock, request.signal);
  let batch: ManifestPlace[] = [];
  for await (const place of walkTree(request.tree)) {
    batch.push(place);
    if (batch.length < atOnce) continue;
    yield* await changesOf(request, types, batch);
    batch = [];
  }
  yield* await changesOf(request, types, batch);
}

async function changesOf(
  request: ChangesSince,
  types: ServedTypes,
  places: readonly ManifestPlace[],
): Promise<readonly ChangeSince[]> {
  request.signal.throwIfAborted();
  const found = await Promise.all(places.map((place) => changeOf(request, types, place)));
  return found.filter((one) => one !== undefined);
}

async function changeOf(
  request: ChangesSince,
  types: ServedTypes,
  place: ManifestPlace,
): Promise<ChangeSince | undefined> {
  const { file } = place;
  let before = 0;
  try {
    const dumped = await readManifest(place);
    before = sizeOf(dumped);
    const type = types.find(place.type, dumped.apiVersion);
    if (type === undefined) return { file, before, change: "removed" };
    const found = await request.kube.get(type, nameIn(dumped), request.signal);
    if (found === undefined) return { file, before, change: "removed" };
    const live = sanitise({ ...found, apiVersion: apiVersionOf(type), kind: type.kind });
    const fields = fieldChanges(withoutStatus(dumped), withoutStatus(live), undefined, request.showSecret);
    return fields.length === 0 ? undefined : { file, before, change: "changed", after: sizeOf(live), fields };
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (request.signal.aborted || error.disposition === "bug") throw thrown;
    return { file, before, change: "unknown", why: error.message };
  }
}

function sizeOf(object: KubeObject): number {
  return Buffer.byteLength(yamlOf(object));
}

function withoutStatus({ status: _status, ...object }: KubeObject): KubeObject {
  return object as KubeObject;
}
