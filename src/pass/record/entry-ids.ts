import { createHash } from "node:crypto";
import { blobOid } from "../../ports/git/blob-oid.ts";
import type { Oid } from "../../ports/git/remote.ts";
import { recordYaml } from "./record-yaml.ts";

type Content = Readonly<Record<string, unknown>>;
type Known = { readonly digest: string; readonly oid: Oid };

/**
 * The id that each entry's text would have. Writing YAML is most of what a pass costs that changes nothing, so the
 * id is kept by path with a digest of the content that it is of; fields in another order are only written anew.
 */
export class EntryIds {
  readonly #known = new Map<string, Known>();
  readonly #earlier: ReadonlyMap<string, Known>;

  /** `earlier`: those of the tip before, of which what is asked for again is taken over. */
  constructor(earlier?: EntryIds) {
    this.#earlier = earlier === undefined ? new Map() : earlier.#known;
  }

  of(path: string, content: Content): Oid {
    const digest = createHash("sha256").update(JSON.stringify(content)).digest("base64");
    const known = this.#known.get(path) ?? this.#earlier.get(path);
    const oid = known?.digest === digest ? known.oid : blobOid(recordYaml(content));
    this.#known.set(path, { digest, oid });
    return oid;
  }
}
