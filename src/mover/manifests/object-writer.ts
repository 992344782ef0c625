import type { KubeObject, Resource } from "../../api/meta.ts";
import type { Kube, ObjectName, WriteOptions } from "../../ports/kube/kube.ts";
import { moverManager } from "../job-context.ts";
import type { FieldValidation } from "./strict-fields.ts";

/** A kind as it is served, or, where it is assumed, as it will be once its CustomResourceDefinition is there. */
export type Target = Resource & { readonly assumed?: boolean };

export type Created = {
  readonly live: KubeObject;
  /** Why the server could not be asked whether it would take the object: what comes before it. */
  readonly unchecked?: string;
};

/** How a restore writes into the cluster, or how it would; errors are those of `Kube`. */
export type ObjectWriter = {
  create(target: Target, object: KubeObject, fieldValidation: FieldValidation): Promise<Created>;
  /** Needs `metadata.resourceVersion`. */
  replace(target: Target, object: KubeObject, fieldValidation: FieldValidation): Promise<KubeObject>;
  /** What `replace` would make of it; changes nothing. */
  tryReplace(target: Target, object: KubeObject): Promise<KubeObject>;
  patch(target: Target, name: ObjectName, patch: Readonly<Record<string, unknown>>): Promise<KubeObject>;
};

export function createObjectWriter(kube: Kube, signal: AbortSignal): ObjectWriter {
  const options: WriteOptions = { manager: moverManager, signal };
  return {
    create: async (target, object, fieldValidation) => ({
      live: await kube.create(target, object, { ...options, fieldValidation }),
    }),
    replace: (target, object, fieldValidation) =>
      kube.replace(target, object, { ...options, fieldValidation }),
    tryReplace: (target, object) => kube.replace(target, object, { ...options, dryRun: true }),
    patch: (target, name, patch) => kube.mergePatch(target, name, patch, options),
  };
}

/**
 * Changes nothing and asks the server what would become of each write. What the restore itself would bring counts as
 * there: an object of a namespace or a kind that is to come would be created.
 */
export function createDryRunWriter(kube: Kube, signal: AbortSignal): ObjectWriter {
  const options: WriteOptions = { manager: moverManager, dryRun: true, signal };
  const namespaces = new Set<string>();
  const before = ({ assumed }: Target, { metadata }: KubeObject): string | undefined => {
    if (assumed === true) return "its CustomResourceDefinition comes first";
    const home = metadata.namespace;
    return home !== undefined && namespaces.has(home) ? "its Namespace comes first" : undefined;
  };
  return {
    create: async (target, object, fieldValidation) => {
      const first = before(target, object);
      if (first !== undefined) return { live: object, unchecked: first };
      const live = await kube.create(target, object, { ...options, fieldValidation });
      if (target.group === "" && target.kind === "Namespace") namespaces.add(object.metadata.name);
      return { live };
    },
    replace: (target, object, fieldValidation) =>
      kube.replace(target, object, { ...options, fieldValidation }),
    tryReplace: (target, object) => kube.replace(target, object, options),
    patch: (target, name, patch) => kube.mergePatch(target, name, patch, options),
  };
}
