import { rm } from "node:fs/promises";
import type { JobContext } from "./job-context.ts";
import type { JobFlags } from "./job-flags.ts";
import { onThisMachine, podPath } from "./pod-path.ts";

/** Folders of a job below its scratch volume; `here` is where the pod's path is on this machine. */
export type Scratch = {
  /** The dump of manifests, as the pod sees it: the path of the restic snapshot. */
  readonly manifests: string;
  readonly manifestsHere: string;
  /** Where restored trees of manifests go. */
  readonly restoredHere: string;
  /** Undefined when the cache is off. */
  readonly cacheHere: string | undefined;
  /** Removes what this job or a killed one before it wrote; the cache stays. */
  clean(): Promise<void>;
};

export const scratchFlags = ["enable-cache", "scratch-dir"] as const;

const defaultScratch = "/kubestash-tmp";

export function scratchOf(context: JobContext, flags: JobFlags): Scratch {
  const folder = podPath(flags.text("scratch-dir") ?? defaultScratch, "--scratch-dir");
  const here = onThisMachine(context.root, folder);
  const manifestsHere = `${here}/manifest`;
  const restoredHere = `${here}/restored`;
  return {
    manifests: `${folder}/manifest`,
    manifestsHere,
    restoredHere,
    cacheHere: flags.truth("enable-cache", true) ? `${here}/restic-cache` : undefined,
    async clean() {
      await rm(manifestsHere, { recursive: true, force: true });
      await rm(restoredHere, { recursive: true, force: true });
    },
  };
}
