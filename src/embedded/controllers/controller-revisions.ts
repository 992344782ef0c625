import { type KubeObject, ownerOf } from "../../api/meta.ts";
import type { Json } from "../../base/json.ts";
import { at, equal, numberAt, objectAt } from "../value.ts";
import { targetOf } from "./client.ts";
import type { ControllerContext } from "./controller.ts";
import { isOwnedBy, stringsAt } from "./owned-pods.ts";
import { resources } from "./resources.ts";
import { templateHash } from "./template-hash.ts";

/** The label of a pod that names the revision it was made from. */
export const revisionLabel = "controller-revision-hash";

export type Revisions = {
  /** Oldest first. */
  readonly all: readonly KubeObject[];
  /** The one of the workload's present template. */
  readonly current: KubeObject;
};

/** The pod templates that a StatefulSet or DaemonSet has had, kept as Kubernetes keeps them; makes the newest. */
export async function revisionsOf(context: ControllerContext, owner: KubeObject): Promise<Revisions> {
  const { client } = context;
  const { namespace = "", name } = owner.metadata;
  const template = at(owner, "spec", "template") ?? {};
  const { items } = await client.list(resources.controllerRevisions, { namespace });
  const all = items.filter((item) => isOwnedBy(item, owner)).toSorted((a, b) => numberOf(a) - numberOf(b));
  const highest = numberOf(all.at(-1));
  const found = all.find((one) => equal(templateOf(one), template));
  if (found !== undefined) {
    if (numberOf(found) === highest) return { all, current: found };
    // A rollback: an old template is the newest again.
    const current = await client.patch(resources.controllerRevisions, targetOf(found), {
      revision: highest + 1,
    });
    return { all: [...all.filter((one) => one !== found), current], current };
  }
  const hash = templateHash(template);
  const current = await client.create(resources.controllerRevisions, {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...stringsAt(template, "metadata", "labels"), [revisionLabel]: hash },
      ownerReferences: [ownerOf(owner)],
    },
    data: { spec: { template } },
    revision: highest + 1,
  });
  return { all: [...all, current], current };
}

function numberOf(revision: KubeObject | undefined): number {
  return numberAt(revision, "revision") ?? 0;
}

export function templateOf(revision: KubeObject): Json {
  return objectAt(revision, "data", "spec", "template");
}

/** Deletes the oldest revisions that no pod is of, beyond revisionHistoryLimit. */
export async function forgetRevisions(
  context: ControllerContext,
  owner: KubeObject,
  revisions: Revisions,
  inUse: ReadonlySet<string>,
): Promise<void> {
  const limit = numberAt(owner, "spec", "revisionHistoryLimit") ?? 10;
  const idle = revisions.all.filter(
    (one) => one.metadata.uid !== revisions.current.metadata.uid && !inUse.has(one.metadata.name),
  );
  for (const one of idle.slice(0, Math.max(0, idle.length - limit))) {
    await context.client.delete(resources.controllerRevisions, targetOf(one));
  }
}
