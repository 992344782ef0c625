import type { JsonObject } from "../base/json.ts";
import type { ApiEvent } from "./api.ts";
import { type Answer, type Call, json } from "./call.ts";
import { Failure } from "./failure.ts";
import type { Kind } from "./kinds.ts";
import { type ListAnswer, listObject } from "./list.ts";
import { scaleTable, type TableOptions, tableOf } from "./table/table.ts";
import { isObject, objectAt } from "./value.ts";
import { metadataOnly } from "./view.ts";

/** In which form a client wants objects: as they are, as rows to print, or only their metadata. */
type Form = "object" | "table" | "metadata";

/** The first form in Accept that can be given. Throws 406. */
function formOf(call: Call): Form {
  if (call.accept.trim() === "") return "object";
  for (const part of call.accept.split(",")) {
    const [media = "", ...parameters] = part.split(";").map((text) => text.trim());
    const any = media === "*/*" || media === "application/*";
    if (media !== "application/json" && !any) continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    if (as === undefined) return "object";
    if (as === "Table") return "table";
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") return "metadata";
  }
  throw new Failure(
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/json;as=Table, application/json;as=PartialObjectMetadata",
    {},
  );
}

export function presentedObject(
  call: Call,
  kind: Kind,
  result: { readonly status: number; readonly object: JsonObject; readonly warnings?: readonly string[] },
): Answer {
  const { status, object, warnings = [] } = result;
  const form = object["kind"] === "Status" ? "object" : formOf(call);
  if (form === "table") {
    const answer = {
      items: [object],
      metadata: { resourceVersion: objectAt(object, "metadata")["resourceVersion"] ?? "" },
    };
    return json(status, tableOf(kind, answer, tableOptions(call)), warnings);
  }
  return json(status, form === "metadata" ? metadataOnly(object) : object, warnings);
}

/** A `Scale`, which has columns of its own whatever it is the scale of. */
export function presentedScale(call: Call, scale: JsonObject): Answer {
  if (formOf(call) !== "table") return json(200, scale);
  const metadata = { resourceVersion: objectAt(scale, "metadata")["resourceVersion"] ?? "" };
  return json(200, scaleTable({ items: [scale], metadata }, tableOptions(call)));
}

export function presentedList(call: Call, kind: Kind, answer: ListAnswer): Answer {
  switch (formOf(call)) {
    case "table":
      return json(200, tableOf(kind, answer, tableOptions(call)));
    case "metadata":
      return json(200, {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata: answer.metadata,
        items: answer.items.map(metadataOnly),
      });
    default:
      return json(200, listObject(kind, answer));
  }
}

export function presentedEvents(call: Call, kind: Kind, events: AsyncGenerator<ApiEvent>): Answer {
  const form = formOf(call);
  if (form === "object") return { kind: "events", events };
  return { kind: "events", events: converted(call, kind, form, events) };
}

async function* converted(
  call: Call,
  kind: Kind,
  form: "table" | "metadata",
  events: AsyncGenerator<ApiEvent>,
): AsyncGenerator<ApiEvent> {
  let first = true;
  for await (const event of events) {
    if (event.type === "ERROR" || !isObject(event.object)) {
      yield event;
      continue;
    }
    if (form === "metadata") {
      yield { type: event.type, object: metadataOnly(event.object) };
      continue;
    }
    const metadata = { resourceVersion: objectAt(event.object, "metadata")["resourceVersion"] ?? "" };
    const items = event.type === "BOOKMARK" ? [] : [event.object];
    // Only the first table of a watch carries the headings.
    yield {
      type: event.type,
      object: tableOf(kind, { items, metadata }, { ...tableOptions(call), headings: first }),
    };
    first = false;
  }
}

function tableOptions(call: Call): TableOptions {
  return { include: call.query["includeObject"] ?? "Metadata", headings: true, now: call.now };
}
