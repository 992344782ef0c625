import { systemClock } from "../base/clock.ts";
import { toHoldfastError } from "../base/errors.ts";
import { wordsOf } from "../mover/interruption.ts";
import { runJob } from "../mover/run-job.ts";
import { writeTerminationMessage } from "../mover/termination-message.ts";
import { connectKube, type KubeConnection } from "../ports/kube/connect-kube.ts";
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
  const root = environment["HOLDFAST_ROOT"] ?? "";
  const kube = await connect(root);
  return runJob(name, flags, {
    kube,
    restic: createRestic({ environment, clock: systemClock }),
    openObjects,
    clock: systemClock,
    root,
    environment,
    version,
    log: (line) => process.stderr.write(`${line}\n`),
    signal,
  });
}

/** What is wrong with the settings of the container is said where the session finds it: in the last words of its pod. */
async function connect(root: string): Promise<KubeConnection> {
  try {
    return await connectKube({ userAgent: `holdfast-mover/${version}` });
  } catch (thrown) {
    // Without them, the log has it.
    await writeTerminationMessage(root, wordsOf(toHoldfastError(thrown))).catch(() => undefined);
    throw thrown;
  }
}
