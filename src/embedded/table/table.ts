import { jsonText } from "../../base/exact-json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import columnsFile from "../built-in/columns.json" with { type: "json" };
import type { Kind } from "../kinds.ts";
import type { ListAnswer } from "../list.ts";
import { isList, isObject, listAt, numberAt, textAt } from "../value.ts";
import { metadataOnly } from "../view.ts";
import { cells } from "./cells.ts";
import { age } from "./duration.ts";
import { valuesAt } from "./json-path.ts";

export type TableOptions = {
  /** What of each object goes along: `None`, `Metadata`, `Object`. */
  readonly include: string;
  readonly headings: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

type Layout = {
  readonly columns: readonly JsonObject[];
  readonly cells: (object: JsonObject, now: number) => readonly Json[];
};

/** `Table` of meta.k8s.io/v1: what `kubectl get` prints. */
export function tableOf(kind: Kind, answer: ListAnswer, options: TableOptions): JsonObject {
  return laidOut(
    kind.custom === undefined ? builtInLayout(kind) : customLayout(kind.custom.version),
    answer,
    options,
  );
}

/** The same of `Scale` objects. */
export function scaleTable(answer: ListAnswer, options: TableOptions): JsonObject {
  return laidOut(scaleLayout, answer, options);
}

function laidOut(layout: Layout, answer: ListAnswer, options: TableOptions): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: answer.metadata,
    columnDefinitions: options.headings ? layout.columns : null,
    rows: answer.items.map((object) => ({
      cells: layout.cells(object, options.now),
      object: included(object, options.include),
    })),
  };
}

function included(object: JsonObject, what: string): Json {
  if (what === "None") return null;
  return what === "Object" ? object : metadataOnly(object);
}

function column(name: string, type: string, format = "", priority = 0): JsonObject {
  return { name, type, format, description: "", priority };
}

const nameColumn = column("Name", "string", "name");
const ageCell = (object: JsonObject, now: number) =>
  age(textAt(object, "metadata", "creationTimestamp"), now);

const scaleLayout: Layout = {
  columns: [nameColumn, column("Desired", "integer"), column("Available", "integer"), column("Age", "date")],
  cells: (scale, now) => [
    textAt(scale, "metadata", "name"),
    numberAt(scale, "spec", "replicas") ?? 0,
    numberAt(scale, "status", "replicas") ?? 0,
    ageCell(scale, now),
  ],
};

function builtInLayout(kind: Kind): Layout {
  const make = cells[kind.resource];
  const files: JsonObject = columnsFile;
  const columns = listAt(files, kind.resource).filter(isObject);
  if (make !== undefined && columns.length > 0) {
    return { columns: columns.map((given) => ({ ...given, description: "" })), cells: make };
  }
  return {
    columns: [nameColumn, column("Age", "string")],
    cells: (object, now) => [textAt(object, "metadata", "name"), ageCell(object, now)],
  };
}

function customLayout(version: JsonObject): Layout {
  const given = listAt(version, "additionalPrinterColumns").filter(isObject);
  if (given.length === 0) {
    return {
      columns: [nameColumn, column("Age", "date")],
      cells: (object, now) => [textAt(object, "metadata", "name"), ageCell(object, now)],
    };
  }
  const columns = given.map((item) => ({
    ...column(
      textAt(item, "name"),
      textAt(item, "type"),
      textAt(item, "format"),
      numberAt(item, "priority") ?? 0,
    ),
    description: textAt(item, "description"),
  }));
  return {
    columns: [nameColumn, ...columns],
    cells: (object, now) => [
      textAt(object, "metadata", "name"),
      ...given.map((item) => cellOf(object, textAt(item, "jsonPath"), textAt(item, "type"), now)),
    ],
  };
}

/** One printer column of a custom resource: empty where there is no value, dates as ages. */
function cellOf(object: JsonObject, path: string, type: string, now: number): Json {
  const values = valuesAt(object, path);
  const [first] = values;
  if (first === undefined || first === null) return null;
  switch (type) {
    case "integer":
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      return typeof first === "string" ? age(first, now) : null;
    default:
      return values.length > 1 ? values.map(shown).join(",") : shown(first);
  }
}

function shown(value: Json): string {
  return typeof value === "string"
    ? value
    : isList(value) || isObject(value)
      ? jsonText(value)
      : String(value);
}
