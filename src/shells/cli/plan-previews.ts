import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { messageOf, toHoldfastError } from "../../base/errors.ts";
import { oneLine } from "../../base/printable.ts";
import { manifestRestoresOf } from "../../mover/manifest-restores.ts";
import type { Plan } from "../../pass/plan/step.ts";
import { previewRestore, type RestorePreview } from "./preview-restore.ts";
import type { ReaderContext } from "./reader-context.ts";
import { previewLines } from "./render-outcomes.ts";

/** What a restore that the plan lets run would do, or why that is not known. */
export type PlannedRestore = RestorePreview | { readonly restore: string; readonly unknown: string };

/** Restores of manifests that the plan makes or claims. */
export function manifestRestoresIn({ steps, entries }: Plan): readonly KubeObject[] {
  const made = steps.flatMap((step) =>
    step.kind === "apply" && step.change === "create" ? [step.object] : [],
  );
  const claimed = entries.flatMap(({ content, when }) =>
    when === "now" && isClaim(content) ? [content] : [],
  );
  return [...made, ...claimed].filter(
    (object) => object.kind === "RestoreSession" && restoresManifests(object),
  );
}

function isClaim(content: Readonly<Record<string, unknown>> | undefined): content is KubeObject {
  return content?.["kind"] === "RestoreSession" && content["status"] === undefined;
}

/** One that cannot be read is refused by the pass, with its place. */
function restoresManifests(restore: KubeObject): boolean {
  try {
    return manifestRestoresOf(restore).length > 0;
  } catch (thrown) {
    if (toHoldfastError(thrown).disposition === "bug") throw thrown;
    return false;
  }
}

/**
 * By the rights of who asks; without them, or without the Snapshot, that is said and the plan stands. Values of fields
 * are left out: a plan is shown to more people than the backup.
 */
export async function previewPlanned(
  context: ReaderContext,
  restores: readonly KubeObject[],
): Promise<readonly PlannedRestore[]> {
  const previews: PlannedRestore[] = [];
  for (const restore of restores) {
    try {
      previews.push(withoutValues(await previewRestore(context, restore)));
    } catch (thrown) {
      if (context.signal.aborted || toHoldfastError(thrown).disposition === "bug") throw thrown;
      previews.push({ restore: nameOf(refOf(restore)), unknown: messageOf(thrown) });
    }
  }
  return previews;
}

function withoutValues(preview: RestorePreview): RestorePreview {
  const objects = preview.objects.map(({ changes, ...outcome }) =>
    changes === undefined ? outcome : { ...outcome, changes: changes.map(({ path }) => ({ path })) },
  );
  return { ...preview, objects };
}

export function plannedLines(planned: PlannedRestore): readonly string[] {
  if (!("unknown" in planned)) return previewLines(planned);
  return [oneLine(`${planned.restore}: what it would do with each object is not known: ${planned.unknown}`)];
}
