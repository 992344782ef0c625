import type { Json, JsonObject } from "../../base/json.ts";
import { at, isObject, objectAt, textAt, textsAt } from "../value.ts";

type ListKind = "atomic" | "set" | "map";

/**
 * A structural schema: of a built-in kind (derived) or of a custom resource (its CRD). Children are made
 * when they are asked for, because the schema of schemas refers to itself.
 */
export class Schema {
  /** OpenAPI keywords, with a reference already merged in. */
  readonly raw: JsonObject;
  readonly #definitions: JsonObject;
  readonly #fields = new Map<string, Schema | undefined>();
  #items: Schema | undefined;
  #additional: Schema | undefined;

  /** True for what a CustomResourceDefinition says; its rules differ in some points from built-in kinds'. */
  readonly custom: boolean;

  constructor(raw: JsonObject, definitions: JsonObject, custom = false) {
    const ref = textAt(raw, "$ref");
    this.raw = ref === "" ? raw : { ...objectAt(definitions, ref), ...raw };
    this.custom = custom && ref === "";
    this.#definitions = definitions;
  }

  /** "" where any type is welcome. */
  get type(): string {
    return textAt(this.raw, "type");
  }

  /** A named field; undefined when the schema does not name it. */
  field(name: string): Schema | undefined {
    if (this.#fields.has(name)) return this.#fields.get(name);
    const raw = at(this.raw, "properties", name);
    const schema = isObject(raw) ? new Schema(raw, this.#definitions, this.custom) : undefined;
    this.#fields.set(name, schema);
    return schema;
  }

  get fieldNames(): readonly string[] {
    return Object.keys(objectAt(this.raw, "properties"));
  }

  get items(): Schema | undefined {
    const raw = this.raw["items"];
    if (isObject(raw)) this.#items ??= new Schema(raw, this.#definitions, this.custom);
    return this.#items;
  }

  /** The schema of the values of a map. */
  get additional(): Schema | undefined {
    const raw = this.raw["additionalProperties"];
    if (isObject(raw)) this.#additional ??= new Schema(raw, this.#definitions, this.custom);
    return this.#additional;
  }

  /** The schema of a field, whether it is named or a key of a map. */
  child(name: string): Schema | undefined {
    return this.field(name) ?? this.additional;
  }

  /** True when fields that the schema does not name are kept. */
  get keepsUnknown(): boolean {
    if (this.raw["x-kubernetes-preserve-unknown-fields"] === true) return true;
    if (this.raw["additionalProperties"] === true) return true;
    if (this.custom || this.raw["additionalProperties"] !== undefined) return false;
    // A built-in type without fields, as RawExtension is, stands for any JSON.
    return this.raw["properties"] === undefined;
  }

  get embedsResource(): boolean {
    return this.raw["x-kubernetes-embedded-resource"] === true;
  }

  get isIntOrString(): boolean {
    return this.raw["x-kubernetes-int-or-string"] === true || this.raw["format"] === "int-or-string";
  }

  get listKind(): ListKind {
    const kind = textAt(this.raw, "x-kubernetes-list-type");
    if (kind === "set" || kind === "map") return kind;
    if (kind === "atomic") return "atomic";
    // Lists without a list type merge as strategic merge patch merges them.
    if (!textAt(this.raw, "x-kubernetes-patch-strategy").split(",").includes("merge")) return "atomic";
    return this.mergeKey === undefined ? "set" : "map";
  }

  get listKeys(): readonly string[] {
    const keys = textsAt(this.raw, "x-kubernetes-list-map-keys");
    if (keys.length > 0) return keys;
    return this.mergeKey === undefined ? [] : [this.mergeKey];
  }

  get isAtomicMap(): boolean {
    return this.raw["x-kubernetes-map-type"] === "atomic";
  }

  /** The key by which a strategic merge patch pairs the items of this list. */
  get mergeKey(): string | undefined {
    const key = textAt(this.raw, "x-kubernetes-patch-merge-key");
    return key === "" ? undefined : key;
  }

  /** `merge`, `replace`, `retainKeys`. */
  get patchStrategies(): readonly string[] {
    const text = textAt(this.raw, "x-kubernetes-patch-strategy");
    return text === "" ? [] : text.split(",");
  }

  get default(): Json | undefined {
    return this.raw["default"];
  }

  get required(): readonly string[] {
    return textsAt(this.raw, "required");
  }

  get nullable(): boolean {
    return this.raw["nullable"] === true;
  }
}
