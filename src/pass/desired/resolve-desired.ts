import { defaultObject } from "../../api/defaults.ts";
import { type KubeObject, keyOf, refOf } from "../../api/meta.ts";
import { digestOf } from "../../base/digest.ts";
import type { Declared } from "../declared/declared.ts";
import type { Desired, DesiredObject } from "./desired.ts";

/**
 * What the declaration means: each object with its defaults, without what a person may not declare (status,
 * server fields), tied to its file by an annotation. Pure, and the order of files does not matter.
 */
export function resolveDesired(declared: Declared, cluster: string): Desired {
  const objects = new Map<string, DesiredObject>();
  const documents = [...declared.documents].sort((a, b) =>
    keyOf(refOf(a.object)) < keyOf(refOf(b.object)) ? -1 : 1,
  );
  for (const document of documents) {
    const place = { path: document.path, line: document.line };
    const object = applied(document.object, `${cluster}/${document.path}`);
    objects.set(keyOf(refOf(object)), {
      object,
      place,
      digest: object.metadata.annotations?.["holdfast.dev/declared-digest"] ?? "",
    });
  }
  return {
    cluster,
    revision: declared.revision.commit,
    objects,
    complete: declared.complete,
    problems: declared.problems,
  };
}

function applied(source: KubeObject, declaredIn: string): KubeObject {
  const { status: _status, metadata, ...rest } = defaultObject(source);
  const { name, namespace, labels, annotations, finalizers } = metadata;
  const kept = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...labels, "app.kubernetes.io/managed-by": "holdfast" },
    ...(finalizers === undefined ? {} : { finalizers }),
  };
  const bare = {
    ...rest,
    metadata: { ...kept, annotations: { ...annotations, "holdfast.dev/declared-in": declaredIn } },
  };
  const digest = digestOf(bare).slice(0, 16);
  return {
    ...bare,
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: {
      ...bare.metadata,
      annotations: { ...bare.metadata.annotations, "holdfast.dev/declared-digest": digest },
    },
  };
}
