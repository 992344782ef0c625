import { join } from "node:path";
import { isGood, newestFirst } from "../../api/good-snapshot.ts";
import { resourceOf } from "../../api/kinds.ts";
import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { restoreFolder } from "../../mover/kubedump-restore.ts";
import { manifestRestoresOf } from "../../mover/manifest-restores.ts";
import type { ObjectOutcome } from "../../mover/manifests/object-outcome.ts";
import { createValueDigest } from "../../mover/manifests/value-digest.ts";
import { secretRefAt } from "../../mover/repository-access.ts";
import { fieldOf } from "../field-of.ts";
import { downloadComponent } from "./download-component.ts";
import { type OpenComponent, openSnapshot } from "./open-snapshot.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { progressLine } from "./progress-line.ts";
import type { ReaderContext } from "./reader-context.ts";

export type RestorePreview = {
  /** `RestoreSession namespace/name`. */
  readonly restore: string;
  /** `namespace/name`. */
  readonly snapshot: string;
  /** What would become of each object of its manifests; none when it restores no manifests. */
  readonly objects: readonly ObjectOutcome[];
  /** Names in the filter that choose nothing. */
  readonly warnings: readonly string[];
  /** Components of which only the Job tells what it restores. */
  readonly unseen: readonly string[];
};

/**
 * What a RestoreSession would do with manifests if it ran now, by the rights of who asks: the same engine as in its
 * Job, with dry runs in place of writes. Throws what opening the Snapshot throws, and `NoGoodSnapshot`.
 */
export async function previewRestore(context: ReaderContext, restore: KubeObject): Promise<RestorePreview> {
  const name = await snapshotOf(context, restore);
  const own = restore.metadata.namespace ?? "";
  const snapshot = await openSnapshot(context, name, {
    namespace: undefined,
    only: undefined,
    secret: secretRefAt(fieldOf(restore, "spec", "dataSource", "encryptionSecret"), own),
  });
  const asked: unknown = fieldOf(restore, "spec", "dataSource", "components");
  const isWanted = ({ name: component }: { readonly name: string }) =>
    !Array.isArray(asked) || asked.includes(component);
  const closed = snapshot.closed.find(isWanted);
  if (closed !== undefined) throw closed.error;
  const wanted = snapshot.components.filter(isWanted);
  const objects: ObjectOutcome[] = [];
  const warnings: string[] = [];
  const showSecret = createValueDigest();
  const restores = manifestRestoresOf(restore);
  const seen = wanted.filter(({ manifests }) => manifests && restores.length > 0);
  for (const component of seen)
    for (const options of restores)
      await previewComponent(context, component, {
        ...options,
        dryRun: true,
        showSecret,
        onOutcome: (outcome) => objects.push(outcome),
        onWarning: (text) => warnings.push(text),
      });
  return {
    restore: nameOf(refOf(restore)),
    snapshot: name,
    objects: objects.toSorted(byFate),
    warnings,
    unseen: wanted.filter((one) => !seen.includes(one)).map((one) => one.name),
  };
}

async function previewComponent(
  context: ReaderContext,
  component: OpenComponent,
  options: Parameters<typeof restoreFolder>[2],
): Promise<void> {
  await withPrivateFolder("preview", async (root) => {
    const line = progressLine(component.name);
    const folder = join(root, component.name);
    const download = { folder, path: undefined, mayExist: false, onProgress: line.show };
    const came = await downloadComponent(context, component, download).finally(line.end);
    for (const { at } of came) await restoreFolder(context, at, options);
  });
}

/** `latest` as the plan chooses it. */
async function snapshotOf({ kube, signal }: ReaderContext, restore: KubeObject): Promise<string> {
  const data = fieldOf(restore, "spec", "dataSource");
  const namespace = String(fieldOf(data, "namespace") ?? restore.metadata.namespace);
  const name = String(fieldOf(data, "snapshot") ?? "");
  if (name !== "latest") return `${namespace}/${name}`;
  const repository = fieldOf(data, "repository");
  const all: KubeObject[] = [];
  for await (const { items } of kube.list(resourceOf("Snapshot"), { namespace, signal })) all.push(...items);
  const own = all.filter((one) => fieldOf(one, "spec", "repository") === repository);
  const newest = own.filter(isGood).toSorted(newestFirst)[0];
  if (newest !== undefined) return `${namespace}/${newest.metadata.name}`;
  throw new HoldfastError(
    "NoGoodSnapshot",
    `Repository ${namespace}/${String(repository)} has no good Snapshot`,
    { disposition: "wait", next: "see holdfast snapshots for what there is, and name one" },
  );
}

const order: readonly ObjectOutcome["did"][] = [
  "failed",
  "conflict",
  "updated",
  "skipped",
  "created",
  "same",
];

function byFate(a: ObjectOutcome, b: ObjectOutcome): number {
  const key = ({ type, namespace = "", name }: ObjectOutcome) => `${type} ${namespace}/${name}`;
  return order.indexOf(a.did) - order.indexOf(b.did) || (key(a) < key(b) ? -1 : 1);
}
