import { blobOid } from "../../ports/git/blob-oid.ts";
import type { Oid } from "../../ports/git/remote.ts";
import { recordYaml } from "./record-yaml.ts";

type Content = Readonly<Record<string, unknown>>;

/**
 * The id that an entry's text would have. Writing YAML is most of what a pass costs that changes nothing, and the
 * content of an object that did not change is the same one in every pass.
 */
export class EntryIds {
  readonly #known = new WeakMap<Content, Oid>();

  of(content: Content): Oid {
    const oid = this.#known.get(content) ?? blobOid(recordYaml(content));
    this.#known.set(content, oid);
    return oid;
  }
}
