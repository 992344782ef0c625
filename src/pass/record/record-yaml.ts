import {
  DEFAULT_SCALAR_STYLE_RULES,
  DUMP_SCHEMA,
  dump,
  EVENT_ID,
  load,
  parseEvents,
  SCALAR_STYLE,
  YAML11_SCHEMA,
  YAMLException,
} from "js-yaml";
import { HoldfastError, messageOf } from "../../base/errors.ts";

type Content = Readonly<Record<string, unknown>>;
type StyleRule = (typeof DEFAULT_SCALAR_STYLE_RULES)[keyof typeof DEFAULT_SCALAR_STYLE_RULES];

/** What the API server alone knows, and what moves without the object being another one. */
const serverFields: ReadonlySet<string> = new Set(["managedFields", "resourceVersion", "selfLink"]);

const largestEntryBytes = 1_048_576;

/** Plain, these are not text to a reader of YAML 1.1 such as kubectl. */
const notText = /^(y|n|yes|no|on|off|true|false|null|nan|inf|)$/i;
/** What begins otherwise may be a number, a date, or a sign of YAML to some reader. */
const beginsAsText = /^[\p{L}_/(]/u;

/**
 * The one text of an entry: keys sorted (whole numbers first, then by UTF-16 units), no fields of the server, no aliases, no folded lines;
 * text that some reader of YAML could take for another type is quoted. Equal content gives equal bytes.
 */
export function recordYaml(content: Content): string {
  return dump(ordered(withoutServerFields(content)), {
    schema: exactSchema,
    lineWidth: -1,
    noRefs: true,
    quoteStyle: "double",
    scalarStyleRules: [...Object.values(DEFAULT_SCALAR_STYLE_RULES), quoteAmbiguous],
  });
}

/** An entry read back; one that is too large, no YAML, or no map is refused. */
export function readRecordYaml(bytes: Uint8Array): Content {
  const { content, why } = parseRecordYaml(bytes);
  if (content !== undefined) return content;
  throw new HoldfastError("RecordUnreadable", `An entry of the record cannot be read: ${why}`, {
    disposition: "stall",
    next: "Look at the last commits of the record's branch; an entry is only written by Holdfast.",
  });
}

type Parsed =
  | { readonly content: Content; readonly why?: undefined }
  | { readonly content?: undefined; readonly why: string };

/** The content of an entry, or why it cannot be read, for a reader to whom one bad entry is not the end. */
export function parseRecordYaml(bytes: Uint8Array): Parsed {
  if (bytes.length > largestEntryBytes) return { why: `it is larger than ${largestEntryBytes} bytes` };
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // js-yaml bounds no aliases, and we write none.
    const aliased = parseEvents(text, {}).some((event) => event.type === EVENT_ID.ALIAS);
    if (aliased) throw new RangeError("it holds an alias");
    value = load(text, { schema: YAML11_SCHEMA });
  } catch (error) {
    return { why: error instanceof YAMLException ? error.reason : messageOf(error) };
  }
  return isContent(value) ? { content: value } : { why: "it is no map" };
}

/** js-yaml knows no bigint. */
const exactSchema = DUMP_SCHEMA.withTags(
  DUMP_SCHEMA.tags.flatMap((tag) =>
    tag.nodeKind === "scalar" && tag.tagName === "tag:yaml.org,2002:int"
      ? [{ ...tag, identify: (data: unknown) => typeof data === "bigint" || tag.identify(data) }]
      : [],
  ),
);

const quoteAmbiguous: StyleRule = (layout) => {
  if (layout.style !== SCALAR_STYLE.PLAIN || layout.node.tag !== "tag:yaml.org,2002:str") return;
  const { value } = layout.node;
  if (notText.test(value) || !beginsAsText.test(value)) layout.style = SCALAR_STYLE.DOUBLE_QUOTED;
};

function withoutServerFields(content: Content): Content {
  const metadata = content["metadata"];
  if (!isContent(metadata)) return content;
  const kept = Object.entries(metadata).filter(([name]) => !serverFields.has(name));
  return { ...content, metadata: Object.fromEntries(kept) };
}

/** As JSON would write it, with every map in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => ordered(item) ?? null);
  if (isContent(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.sort(byKey).map(([key, item]) => [key, ordered(item)]));
  }
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return value;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function isContent(value: unknown): value is Content {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
