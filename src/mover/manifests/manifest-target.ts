import { type ManifestTarget, paramAgainstTarget, readManifestTarget } from "../../api/manifest-target.ts";
import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { usageError } from "../job-flags.ts";
import { fieldAt, textAt } from "../storage/fields.ts";
import type { ManifestFilter } from "./manifest-filter.ts";

/** `spec.target` of a BackupConfiguration or a RestoreSession; `TargetNotSupported` when nothing can be done with it. */
export function manifestTargetOf(object: KubeObject): ManifestTarget {
  const given = fieldAt(object, "spec", "target");
  const field = (name: string) => textAt(given, name) ?? "";
  const apiGroup = textAt(given, "apiGroup");
  const target =
    given === undefined || given === null
      ? undefined
      : {
          kind: field("kind"),
          name: field("name"),
          namespace: field("namespace"),
          ...(apiGroup === undefined ? {} : { apiGroup }),
        };
  const read = readManifestTarget(target, object.metadata.namespace ?? "");
  if (read.ok) return read.value;
  throw new HoldfastError("TargetNotSupported", `${nameOf(refOf(object))}: ${read.message}`, {
    disposition: "stall",
    next: read.next,
  });
}

/** What the filter takes of a target; a usage error when it asks for something outside of it. */
export function narrowed(filter: ManifestFilter, target: ManifestTarget): ManifestFilter {
  const against = paramAgainstTarget(target, filter);
  if (against !== undefined) throw usageError(`${against.param} ${against.message}`, against.next);
  return target.scope === "cluster"
    ? filter
    : { ...filter, includeNamespaces: new Set([target.namespace]), clusterResources: false };
}
