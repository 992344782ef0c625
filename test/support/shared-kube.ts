import { inject } from "vitest";
import type { KubeAccess } from "./kube-apiserver.ts";
import type {} from "./shared-kube-setup.ts";

/**
 * The real API server that all test files of this run share; starts it at the first call (4 s, with
 * controllers 10 s). It is not emptied between files: work in a namespace of your own, and name
 * cluster-scoped objects after the test. Guard with `requireOrSkip("kube-apiserver", "etcd", …)`.
 */
export async function sharedKube(options: { readonly controllers?: boolean } = {}): Promise<KubeAccess> {
  const path = options.controllers === true ? "controllers" : "server";
  const response = await fetch(`${inject("kubeBroker")}/${path}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as KubeAccess;
}
