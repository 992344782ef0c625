import type { Call } from "../call.ts";
import { badRequest, Failure, invalid } from "../failure.ts";
import { requireApplicable, requireFitting } from "../fitting.ts";
import type { Kind } from "../kinds.ts";
import { isObject, textAt } from "../value.ts";
import type { Change, Place } from "../write.ts";
import { jsonPatched } from "./json-patch.ts";
import { mergePatched } from "./merge-patch.ts";
import { strategicMerged } from "./strategic-merge.ts";

/** What a PATCH asks for, by its content type. Throws 400, 415. */
export function patchOf(call: Call, kind: Kind, place: Place): Change {
  const { body } = call;
  switch (call.contentType) {
    case "application/json-patch+json":
      return { kind: "replace", needsVersion: false, make: (live) => jsonPatched(live, body) };
    case "application/merge-patch+json": {
      if (!isObject(body)) throw badRequest("a merge patch is a JSON object");
      return { kind: "replace", needsVersion: false, make: (live) => mergePatched(live, body) };
    }
    case "application/strategic-merge-patch+json": {
      if (kind.custom !== undefined) throw unsupported(kind);
      if (!isObject(body)) throw badRequest("a strategic merge patch is a JSON object");
      return {
        kind: "replace",
        needsVersion: false,
        make: (live) => strategicMerged(live, body, kind.schema),
      };
    }
    case "application/apply-patch+yaml":
      return applyOf(call, kind, place);
    default:
      throw unsupported(kind);
  }
}

function applyOf(call: Call, kind: Kind, place: Place): Change {
  if ((call.query["fieldManager"] ?? "") === "") {
    const options = { group: "meta.k8s.io", plural: "patchoptions", kind: "PatchOptions" };
    const message = "Required value: is required for apply patch";
    throw invalid(options, "", [{ reason: "FieldValueRequired", message, field: "fieldManager" }]);
  }
  for (const field of ["apiVersion", "kind"]) {
    if (textAt(call.body, field) === "") throw badRequest(`${field} is required in an applied configuration`);
  }
  const config = requireFitting(kind, place, call.body);
  requireApplicable(kind, place, config);
  return { kind: "apply", config, force: call.query["force"] === "true" || call.query["force"] === "1" };
}

function unsupported(kind: Kind): Failure {
  const types = ["application/json-patch+json", "application/merge-patch+json"];
  if (kind.custom === undefined) types.push("application/strategic-merge-patch+json");
  types.push("application/apply-patch+yaml");
  return new Failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${types.join(", ")}`,
    {},
  );
}
