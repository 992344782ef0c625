import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { ownEnvironment } from "../../base/exec.ts";
import type { JobContext } from "../../mover/job-context.ts";
import { createSecretKeeper } from "../../mover/secret-keeper.ts";
import { openObjects } from "../../ports/objects/open-objects.ts";
import { createRestic } from "../../ports/restic/create-restic.ts";
import { version } from "../version.ts";
import { openCluster } from "./open-cluster.ts";
import { cacheDirectory, type KubeOptions } from "./remote-options.ts";
import type { Shell } from "./shell.ts";

/** What a command needs to read data as a Job does, with the rights of the person. */
export type ReaderContext = JobContext & {
  /** Of the kubeconfig's context. */
  readonly namespace: string;
  /** Where restic keeps what it has read of repositories; encrypted as in the repository. */
  readonly resticCache: string;
};

export async function readerContext(options: KubeOptions, shell: Shell): Promise<ReaderContext> {
  const kube = await openCluster(options);
  const environment = ownEnvironment();
  const secrets = createSecretKeeper();
  return {
    kube,
    namespace: kube.namespace,
    restic: createRestic({ environment, clock: systemClock }),
    openObjects,
    clock: systemClock,
    root: "",
    environment,
    version,
    log: (line) => process.stderr.write(`${secrets.redact(line)}\n`),
    signal: shell.signal,
    secrets,
    resticCache: join(dirname(cacheDirectory()), "restic"),
  };
}
