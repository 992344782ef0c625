import { builtIn } from "../../api/built-in.ts";
import { timeText } from "../../api/conditions.ts";
import type { KubeObject } from "../../api/meta.ts";
import { clusterLabel, stateOf } from "../../api/own-notes.ts";
import { toHoldfastError } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";

/** What Holdfast has noted about the remote: empty when it is there and nothing waits for it. */
export type RemoteNotes = {
  /** Since when it is away, for each cluster name of this cluster for which it is. */
  readonly away: readonly { readonly cluster: string; readonly since: string; readonly because: string }[];
  /** Why a tip of the branch is not in force, so that the commit before it is. */
  readonly refused: readonly { readonly cluster: string; readonly because: string }[];
  /** How many entries wait in the outbox. */
  readonly waiting: number;
  /** Why the notes cannot be read. */
  readonly unread?: string;
};

/** Of one cluster name; without it, of all under which this cluster was ever reconciled. */
export async function readRemoteNotes(
  kube: Kube,
  { namespace, cluster }: { readonly namespace: string; readonly cluster: string | undefined },
  signal: AbortSignal,
): Promise<RemoteNotes> {
  const maps: KubeObject[] = [];
  try {
    for await (const page of kube.list(builtIn.ConfigMap, {
      namespace,
      labelSelector: cluster === undefined ? clusterLabel : `${clusterLabel}=${cluster}`,
      signal,
    }))
      maps.push(...page.items);
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (error.disposition !== "stall") throw error;
    return { away: [], refused: [], waiting: 0, unread: error.message };
  }
  return {
    away: maps.flatMap((map) => {
      const { away } = stateOf(map);
      if (away === undefined) return [];
      return [{ cluster: clusterOf(map), since: timeText(away.sinceMs), because: away.because }];
    }),
    refused: maps.flatMap((map) => {
      const because = stateOf(map).refused;
      return because === undefined ? [] : [{ cluster: clusterOf(map), because }];
    }),
    waiting: maps.filter(({ metadata }) => metadata.name.startsWith("outbox-")).length,
  };
}

function clusterOf({ metadata }: KubeObject): string {
  return metadata.labels?.[clusterLabel] ?? "";
}

export function remoteLines({ away, refused, waiting, unread }: RemoteNotes): readonly string[] {
  return [
    ...away.map(
      ({ cluster, since, because }) => `The remote of ${cluster} is away since ${since}: ${because}`,
    ),
    ...refused.map(({ cluster, because }) => `The branch's tip is refused for ${cluster}: ${because}`),
    ...(waiting === 0 ? [] : [`Entries that wait for it in the outbox: ${waiting}`]),
    ...(unread === undefined ? [] : [`Whether the remote is there is not known: ${unread}`]),
  ];
}
