import type { Json, JsonObject } from "../../base/json.ts";
import type { Kind } from "../kinds.ts";
import type { ListAnswer } from "../list.ts";
import { textAt } from "../value.ts";
import { metadataOnly } from "../view.ts";

export type TableOptions = {
  /** What of each object goes along: `None`, `Metadata`, `Object`. */
  readonly include: string;
  readonly headings: boolean;
};

/** `Table` of meta.k8s.io/v1: what `kubectl get` prints. */
export function tableOf(_kind: Kind, answer: ListAnswer, options: TableOptions): JsonObject {
  const columns: readonly JsonObject[] = [
    { name: "Name", type: "string", format: "name", description: "", priority: 0 },
    { name: "Created At", type: "date", format: "", description: "", priority: 0 },
  ];
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: answer.metadata,
    columnDefinitions: options.headings ? columns : null,
    rows: answer.items.map((object) => ({
      cells: [textAt(object, "metadata", "name"), textAt(object, "metadata", "creationTimestamp")],
      object: included(object, options.include),
    })),
  };
}

function included(object: JsonObject, what: string): Json {
  if (what === "None") return null;
  return what === "Object" ? object : metadataOnly(object);
}
