import { apiVersionOf, type KubeObject, nameOf, type Resource } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import type { ObjectName } from "../ports/kube/kube.ts";
import type { JobContext } from "./job-context.ts";

/** An object that the job cannot do without; `<Kind>NotFound` names it when it is not there. */
export async function readNeeded(
  context: JobContext,
  resource: Resource,
  name: ObjectName,
  neededBy: string,
): Promise<KubeObject> {
  const found = await context.kube.get(resource, name, context.signal);
  if (found !== undefined) return found;
  const shown = nameOf({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...name });
  throw new HoldfastError(`${resource.kind}NotFound`, `there is no ${shown}, which ${neededBy} needs`, {
    disposition: "stall",
    next: `Create ${shown}, or correct the reference to it.`,
  });
}
