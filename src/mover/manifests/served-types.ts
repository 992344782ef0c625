import { apiVersionOf, groupOf } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import type { DiscoveredResource, Kube } from "../../ports/kube/kube.ts";
import { groupResourceName } from "./manifest-filter.ts";

/** What the cluster serves, by group-resource name; read again when types come during a restore. */
export type ServedTypes = {
  /** The version of the file when it is served, otherwise the server's preferred one. */
  find(type: string, apiVersion: string): DiscoveredResource | undefined;
  /** The types of a kind, whatever the version: namespaced ones first. */
  ofKind(apiVersion: string, kind: string): readonly ServedType[];
  refresh(): Promise<void>;
  /** Waits until all are served, at most 30 s: a new CustomResourceDefinition takes a moment. */
  waitFor(types: readonly string[]): Promise<void>;
};

/** With the name of its folder. */
export type ServedType = DiscoveredResource & { readonly type: string };

const waitMs = 30_000;
const pollMs = 500;

export async function readServedTypes(kube: Kube, clock: Clock, signal: AbortSignal): Promise<ServedTypes> {
  let served = await read(kube, signal);
  const refresh = async () => {
    served = await read(kube, signal);
  };
  return {
    find(type, apiVersion) {
      const versions = served.get(type) ?? [];
      return (
        versions.find((one) => apiVersionOf(one) === apiVersion) ??
        versions.find((one) => one.preferred) ??
        versions[0]
      );
    },
    ofKind(apiVersion, kind) {
      const group = groupOf(apiVersion);
      const found = [...served].flatMap(([type, versions]) => {
        const one = versions.find((version) => version.group === group && version.kind === kind);
        return one === undefined ? [] : [{ ...one, type }];
      });
      return found.toSorted((a, b) => Number(b.namespaced) - Number(a.namespaced));
    },
    refresh,
    async waitFor(types) {
      const until = clock.now() + waitMs;
      await refresh();
      while (types.some((type) => !served.has(type)) && clock.now() < until && !signal.aborted) {
        await clock.sleep(pollMs, signal);
        await refresh();
      }
    },
  };
}

async function read(
  kube: Kube,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly DiscoveredResource[]>> {
  const { resources } = await kube.discover(signal);
  return Map.groupBy(resources, groupResourceName);
}
