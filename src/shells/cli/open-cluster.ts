import { connectKube, type KubeConnection } from "../../ports/kube/connect-kube.ts";
import { version } from "../version.ts";
import type { KubeOptions } from "./remote-options.ts";

/** The cluster that the command line names. Nothing is asked of it yet. */
export function openCluster(
  options: KubeOptions & { readonly kubeconfigText?: string },
): Promise<KubeConnection> {
  const { kubeconfig, kubeconfigText, context } = options;
  return connectKube({
    ...(kubeconfig === undefined ? {} : { kubeconfigPath: kubeconfig }),
    ...(kubeconfigText === undefined ? {} : { kubeconfigText }),
    ...(context === undefined ? {} : { context }),
    userAgent: `holdfast/${version}`,
    // Whoever typed a command learns soon that nobody listens there; a server that answered once is waited for.
    attemptsToReach: 2,
  });
}
