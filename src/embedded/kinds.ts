import type { JsonObject } from "../base/json.ts";
import definitionsFile from "./built-in/definitions.json" with { type: "json" };
import resourcesFile from "./built-in/resources.json" with { type: "json" };
import { Schema } from "./schema/schema.ts";
import { isObject, listAt, objectAt, textAt, textsAt } from "./value.ts";

/** A subresource: the kind that it takes and answers. */
export type Subresource = {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
};

/** One version of one kind, as it is served. */
export type Kind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly schema: Schema;
  /** Where its objects are stored: `<group>/<plural>`. */
  readonly resource: string;
  /** The version in which objects are stored. */
  readonly storedVersion: string;
  /** Of a custom resource: its definition and its version's part of that. */
  readonly custom: { readonly definition: JsonObject; readonly version: JsonObject } | undefined;
};

export const definitions: JsonObject = definitionsFile;

export function apiVersion(kind: Pick<Kind, "group" | "version">): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

export function hasStatus(kind: Kind): boolean {
  return kind.subresources.some((sub) => sub.name === "status");
}

/** `<namespace>/<name>`; the namespace is empty for cluster-scoped kinds. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function definitionOf(name: string): Schema {
  return new Schema({ $ref: name }, definitions);
}

export const objectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** Every kind, built-in ones first; custom ones come and go. */
export class Kinds {
  readonly #builtIn: readonly Kind[];
  #custom = new Map<string, readonly Kind[]>();
  #byPath = new Map<string, Kind>();

  constructor() {
    this.#builtIn = builtInKinds();
    this.#index();
  }

  /** By group, version and plural. */
  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** By the resource under which objects are stored: the version that they are stored in. */
  stored(resource: string): Kind | undefined {
    return this.all.find((kind) => kind.resource === resource && kind.version === kind.storedVersion);
  }

  byGroupKind(group: string, kind: string): Kind | undefined {
    return this.all.find((known) => known.group === group && known.kind === kind);
  }

  get all(): readonly Kind[] {
    return [...this.#byPath.values()];
  }

  /** Kinds of one custom resource definition; none takes them away. */
  setCustom(definition: string, kinds: readonly Kind[]): void {
    if (kinds.length === 0) this.#custom.delete(definition);
    else this.#custom.set(definition, kinds);
    this.#index();
  }

  #index(): void {
    this.#byPath = new Map(
      [...this.#builtIn, ...[...this.#custom.values()].flat()].map((kind) => [
        `${kind.group}/${kind.version}/${kind.plural}`,
        kind,
      ]),
    );
  }
}

function builtInKinds(): Kind[] {
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    for (const gvk of listAt(definition, "x-kubernetes-group-version-kind")) {
      names.set(`${textAt(gvk, "group")}/${textAt(gvk, "version")}/${textAt(gvk, "kind")}`, name);
    }
  }
  const resources: readonly unknown[] = resourcesFile;
  return resources.filter(isObject).map((raw) => {
    const group = textAt(raw, "group");
    const version = textAt(raw, "version");
    const kind = textAt(raw, "kind");
    const plural = textAt(raw, "plural");
    return {
      group,
      version,
      kind,
      listKind: `${kind}List`,
      plural,
      singular: textAt(raw, "singular"),
      shortNames: textsAt(raw, "shortNames"),
      categories: textsAt(raw, "categories"),
      namespaced: raw["namespaced"] === true,
      verbs: textsAt(raw, "verbs"),
      subresources: Object.entries(objectAt(raw, "subresources")).map(([name, sub]) => ({
        name,
        group: textAt(sub, "group") || (textAt(sub, "version") === "" ? group : ""),
        version: textAt(sub, "version") || version,
        kind: textAt(sub, "kind"),
        verbs: textsAt(sub, "verbs"),
      })),
      schema: definitionOf(names.get(`${group}/${version}/${kind}`) ?? ""),
      // Both event APIs are views of the same objects.
      resource: kind === "Event" ? "/events" : `${group}/${plural}`,
      storedVersion: version,
      custom: undefined,
    };
  });
}
