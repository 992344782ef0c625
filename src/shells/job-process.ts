import { systemClock } from "../base/clock.ts";
import { runJob } from "../mover/run-job.ts";
import { connectKube } from "../ports/kube/connect-kube.ts";
import { openObjects } from "../ports/objects/open-objects.ts";
import { createRestic } from "../ports/restic/create-restic.ts";
import { version } from "./version.ts";

/** `holdfast job …` as a process: connects with the pod's own account and hands over to the mover. */
export async function runJobProcess(
  name: string,
  flags: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([variable, value]) =>
      value === undefined ? [] : [[variable, value]],
    ),
  );
  const kube = await connectKube({ userAgent: `holdfast-mover/${version}` });
  return runJob(name, flags, {
    kube,
    restic: createRestic({ environment, clock: systemClock }),
    openObjects,
    clock: systemClock,
    root: environment["HOLDFAST_ROOT"] ?? "",
    environment,
    version,
    log: (line) => process.stderr.write(`${line}\n`),
    signal,
  });
}
