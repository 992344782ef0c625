import { systemClock } from "../../../src/base/clock.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { restoreManifests } from "../../../src/mover/manifests/restore-manifests.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { countRequests } from "./count-requests.ts";
import { answer, peakMiB, task } from "./task.ts";

const { kubeconfigPath, tree } = await task<{ readonly kubeconfigPath: string; readonly tree: string }>();
const requests = countRequests();
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const did: Record<string, number> = {};
const failed: string[] = [];
await restoreManifests({
  kube,
  clock: systemClock,
  filter: everything,
  tree,
  override: false,
  prepare: { restorePVs: true, storageClasses: new Map() },
  onOutcome: (outcome) => {
    did[outcome.did] = (did[outcome.did] ?? 0) + 1;
    if (outcome.did === "failed") failed.push(JSON.stringify(outcome));
  },
  log: () => undefined,
  signal: AbortSignal.timeout(3_600_000),
});
await kube.close();
if (failed.length > 0) throw new Error(failed.slice(0, 5).join("\n"));
answer({ objects: did["created"] ?? 0, did, requests: requests.count(), peakMiB: peakMiB() });
