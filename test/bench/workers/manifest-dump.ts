import { dumpManifests } from "../../../src/mover/manifests/dump-manifests.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { countRequests } from "./count-requests.ts";
import { answer, peakMiB, task } from "./task.ts";

const { kubeconfigPath, tree } = await task<{ readonly kubeconfigPath: string; readonly tree: string }>();
const requests = countRequests();
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const { files: objects, missing } = await dumpManifests({
  kube,
  filter: everything,
  tree,
  log: () => undefined,
  signal: AbortSignal.timeout(600_000),
});
if (missing.length > 0) throw new Error(`missing: ${missing.join("; ")}`);
await kube.close();
answer({ objects, requests: requests.count(), peakMiB: peakMiB() });
