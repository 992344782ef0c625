import type { KindDefinition } from "../../api/kind.ts";
import { kinds } from "../../api/kinds.ts";
import type { Resource } from "../../api/meta.ts";
import { nearestName } from "../../base/nearest-name.ts";
import { fieldOf } from "../field-of.ts";
import { usage } from "./usage.ts";

/** The kinds whose spec has the field `paused`. */
export const pausableKinds: readonly KindDefinition[] = kinds.filter(
  ({ spec }) => fieldOf(spec, "properties", "paused") !== undefined,
);

/** An object as the command line names it: `KIND/NAME`, the kind as kubectl takes it. */
export function pausableObject(text: string): { readonly resource: Resource; readonly name: string } {
  const [word = "", name = "", ...more] = text.split("/");
  if (word === "" || name === "" || more.length > 0)
    throw usage(
      `${text} is not KIND/NAME`,
      "write it like backupconfiguration/shop-data, and the namespace with -n",
    );
  const found = kinds.find((kind) => wordsOf(kind).includes(word.toLowerCase()));
  const can = pausableKinds.map(({ resource }) => resource.kind).join(", ");
  if (found === undefined) {
    const near = nearestName(word, pausableKinds.flatMap(wordsOf));
    throw usage(
      `there is no kind ${word}`,
      near === undefined ? `these can be paused: ${can}` : `did you mean ${near}?`,
    );
  }
  if (!pausableKinds.includes(found))
    throw usage(`a ${found.resource.kind} has nothing to pause`, `these can be paused: ${can}`);
  return { resource: found.resource, name };
}

function wordsOf({ resource, shortNames }: KindDefinition): readonly string[] {
  return [resource.kind.toLowerCase(), resource.plural, ...shortNames];
}
