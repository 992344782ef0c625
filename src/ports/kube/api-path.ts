import type { Resource } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { ObjectName } from "./kube.ts";

/** `/apis/batch/v1/namespaces/demo/jobs`; without a namespace the collection of all namespaces. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const { group, version, namespaced, plural } = resource;
  const root = group === "" ? `/api/${segment(version)}` : `/apis/${segment(group)}/${segment(version)}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : "";
  return `${root}${scope}/${segment(plural)}`;
}

/** The collection that an object of that namespace belongs to: the one to POST to. */
export function homePath(resource: Resource, namespace: string | undefined): string {
  if (resource.namespaced && namespace === undefined) {
    throw new HoldfastError("NamespaceMissing", `an object of ${resource.plural} needs a namespace`, {
      disposition: "bug",
    });
  }
  return collectionPath(resource, namespace);
}

export function objectPath(resource: Resource, name: ObjectName, subresource?: "status"): string {
  const tail = subresource === undefined ? "" : `/${subresource}`;
  return `${homePath(resource, name.namespace)}/${segment(name.name)}${tail}`;
}

/** One segment of a path. A name such as `..` would reach another resource. */
function segment(text: string): string {
  if (text === "" || text === "." || text === ".." || text.includes("/")) {
    throw new HoldfastError("NameInvalid", `${JSON.stringify(text)} cannot be part of an API path`, {
      disposition: "stall",
      next: "Use a valid Kubernetes name.",
    });
  }
  return encodeURIComponent(text);
}
