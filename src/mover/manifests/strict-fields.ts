import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";

/** `Strict` refuses fields that the server does not know, `Ignore` drops them. */
export type FieldValidation = "Strict" | "Ignore";

type Sent<Answer> = { readonly answer: Answer; readonly notes: readonly string[] };

/**
 * Sends an object so that no field is lost in silence. What the cluster does not know in the file's own version goes
 * with a note. In another version it may stand at another place, so that such an object is refused: `FieldsLost`.
 */
export async function withoutSilentLoss<Answer>(
  object: KubeObject,
  ownVersion: boolean,
  send: (validation: FieldValidation) => Promise<Answer>,
): Promise<Sent<Answer>> {
  try {
    return { answer: await send("Strict"), notes: [] };
  } catch (thrown) {
    const fields = unknownFieldsIn(thrown);
    if (fields.length === 0) throw thrown;
    if (!ownVersion) throw fieldsLost(object, fields);
    return {
      answer: await send("Ignore"),
      notes: [`without ${fields.join(", ")}, which this cluster does not know`],
    };
  }
}

/** The server names them in its message only. */
function unknownFieldsIn(thrown: unknown): readonly string[] {
  if (!isKubeError(thrown, 400) || !thrown.message.includes("strict decoding error")) return [];
  return [...thrown.message.matchAll(/unknown field "([^"]+)"/g)].flatMap(([, field]) => field ?? []);
}

function fieldsLost({ apiVersion }: KubeObject, fields: readonly string[]): HoldfastError {
  return new HoldfastError(
    "FieldsLost",
    `this cluster does not serve its version, and as ${apiVersion} it would lose ${fields.join(", ")}`,
    { disposition: "stall", next: "Write the object in a version that the cluster serves, and apply it." },
  );
}
