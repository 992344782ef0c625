import type { KubeObject } from "../../../api/meta.ts";
import type { JsonObject } from "../../../base/json.ts";
import { at, isObject, listAt, numberAt, textAt } from "../../value.ts";

/** What the kubelet reads of a pod's spec. */

export function initContainersOf(pod: KubeObject): readonly JsonObject[] {
  return listAt(pod, "spec", "initContainers").filter(isObject);
}

export function containersOf(pod: KubeObject): readonly JsonObject[] {
  return listAt(pod, "spec", "containers").filter(isObject);
}

export function restartPolicyOf(pod: KubeObject): string {
  return textAt(pod, "spec", "restartPolicy") || "Always";
}

export function graceMsOf(pod: KubeObject): number {
  const seconds =
    numberAt(pod, "metadata", "deletionGracePeriodSeconds") ??
    numberAt(pod, "spec", "terminationGracePeriodSeconds") ??
    30;
  return seconds * 1_000;
}

export function serviceAccountOf(pod: KubeObject): string {
  return textAt(pod, "spec", "serviceAccountName") || "default";
}

/** True when the image's repository is one of these, or stands below one of them, whatever tag or digest. */
export function isLocalImage(image: string, repositories: readonly string[]): boolean {
  const repository = image.replace(/@[^/]*$/, "").replace(/:[^/:]*$/, "");
  return repositories.some((one) => repository === one || repository.startsWith(`${one}/`));
}

/**
 * A pod that is to run to an end needs its processes; a workload's pod of a foreign image is kept running by
 * name only, as something that can be backed up.
 */
export function mustRunToEnd(pod: KubeObject): boolean {
  return restartPolicyOf(pod) !== "Always";
}

/** Fields of containers that are run as processes that change nothing here, in the words of the spec. */
export function notEnforced(pod: KubeObject, container: JsonObject): readonly string[] {
  const names: string[] = [];
  for (const field of ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "securityContext"])
    if (hasContent(at(container, field))) names.push(field);
  if (hasContent(at(container, "resources"))) names.push("resources");
  if (hasContent(at(pod, "spec", "securityContext"))) names.push("pod securityContext");
  if (listAt(container, "volumeMounts").some((mount) => at(mount, "readOnly") === true))
    names.push("readOnly mounts");
  return names;
}

function hasContent(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}
