import { builtIn } from "../../api/built-in.ts";
import { resourceOf } from "../../api/kinds.ts";
import type { Resource } from "../../api/meta.ts";
import type { NamedThing, Names } from "./complete-words.ts";
import { openCluster } from "./open-cluster.ts";
import { pausableKinds } from "./pausable-kind.ts";

/** A person waits with a finger on the key. */
const deadlineMs = 2_000;
const maxNames = 500;

/** Names in the cluster of the kubeconfig; what goes wrong is for the command itself to tell. */
export const clusterNames: Names = async (what, options) => {
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const kube = await openCluster({
      ...optional("kubeconfig", options.get("--kubeconfig")),
      ...optional("context", options.get("--context")),
    });
    const namespace = options.get("--namespace");
    const found: string[] = [];
    for (const { resource, prefix } of sources(what)) {
      const scope = namespace === undefined || !resource.namespaced ? { signal } : { signal, namespace };
      for await (const { items } of kube.list(resource, scope)) {
        for (const { metadata } of items) {
          const full = resource.namespaced && namespace === undefined && prefix === "";
          found.push(`${prefix}${full ? `${metadata.namespace}/` : ""}${metadata.name}`);
        }
        if (found.length >= maxNames) break;
      }
    }
    return found.slice(0, maxNames);
  } catch {
    return [];
  }
};

type Source = { readonly resource: Resource; readonly prefix: string };

function sources(what: NamedThing): readonly Source[] {
  switch (what) {
    case "namespace":
      return [{ resource: builtIn.Namespace, prefix: "" }];
    case "configuration":
      return [{ resource: resourceOf("BackupConfiguration"), prefix: "" }];
    case "snapshot":
      return [{ resource: resourceOf("Snapshot"), prefix: "" }];
    case "repository":
      return [{ resource: resourceOf("Repository"), prefix: "" }];
    case "pausable":
      // Snapshots can be paused too, and would bury the others.
      return pausableKinds
        .filter(({ resource }) => resource.kind !== "Snapshot")
        .map(({ resource }) => ({ resource, prefix: `${resource.kind.toLowerCase()}/` }));
  }
}

function optional(name: "kubeconfig" | "context", value: string | undefined) {
  return value === undefined ? {} : { [name]: value };
}
