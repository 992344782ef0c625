import { messageOf } from "../base/errors.ts";
import { nearestName } from "../base/nearest-name.ts";
import { forget, forgetFlags } from "./forget.ts";
import { errorOf, wordsOf } from "./interruption.ts";
import type { JobContext, JobOutcome, JobPorts } from "./job-context.ts";
import { type JobFlags, parseFlags, usageError } from "./job-flags.ts";
import { kubedumpBackup, kubedumpBackupFlags } from "./kubedump-backup.ts";
import { kubedumpRestore, kubedumpRestoreFlags } from "./kubedump-restore.ts";
import { createSecretKeeper } from "./secret-keeper.ts";
import {
  storageClean,
  storageCleanFlags,
  storageFlags,
  storageInitialize,
  storageUpload,
  storageUploadFlags,
} from "./storage-jobs.ts";
import { writeTerminationMessage } from "./termination-message.ts";
import { triggerBackup, triggerFlags } from "./trigger-backup.ts";
import { volumeBackup, volumeBackupFlags } from "./volume-backup.ts";
import {
  claimMount,
  pvcRestore,
  pvcRestoreFlags,
  workloadRestore,
  workloadRestoreFlags,
} from "./volume-restore.ts";
import {
  manifestBackup,
  manifestBackupFlags,
  manifestRestore,
  manifestRestoreFlags,
} from "./workload-manifests.ts";

type Job = {
  readonly flags: readonly string[];
  readonly run: (context: JobContext, flags: JobFlags) => Promise<JobOutcome>;
};

/** The jobs by name, with the flags that each knows. */
const jobs: ReadonlyMap<string, Job> = new Map(
  Object.entries({
    "trigger-backup": { flags: triggerFlags, run: triggerBackup },
    "kubedump-backup": { flags: kubedumpBackupFlags, run: kubedumpBackup },
    "kubedump-restore": { flags: kubedumpRestoreFlags, run: kubedumpRestore },
    "manifest-backup": { flags: manifestBackupFlags, run: manifestBackup },
    "manifest-restore": { flags: manifestRestoreFlags, run: manifestRestore },
    "workload-backup": {
      flags: volumeBackupFlags,
      run: (context, flags) => volumeBackup(context, flags, []),
    },
    "pvc-backup": {
      flags: volumeBackupFlags,
      run: (context, flags) => volumeBackup(context, flags, [claimMount]),
    },
    "workload-restore": { flags: workloadRestoreFlags, run: workloadRestore },
    "pvc-restore": { flags: pvcRestoreFlags, run: pvcRestore },
    "storage-initialize": { flags: storageFlags, run: storageInitialize },
    "storage-upload": { flags: storageUploadFlags, run: storageUpload },
    "storage-clean": { flags: storageCleanFlags, run: storageClean },
    forget: { flags: forgetFlags, run: forget },
  } satisfies Record<string, Job>),
);

/** Names of all jobs, for help texts. */
export const jobNames: readonly string[] = [...jobs.keys()];

/**
 * `holdfast job <name> --flag=value…`: runs one job to its end and answers the exit code. Never throws: what
 * went wrong is in the log, in the termination message and in the status of the job's object.
 */
export async function runJob(name: string, args: readonly string[], ports: JobPorts): Promise<number> {
  const secrets = createSecretKeeper();
  const context: JobContext = {
    ...ports,
    root: ports.root.replace(/\/+$/, ""),
    secrets,
    log: (line) => ports.log(secrets.redact(line)),
  };
  const { exitCode, message } = await outcomeOf(name, args, context);
  context.log(message);
  try {
    await writeTerminationMessage(context.root, secrets.redact(message));
  } catch (thrown) {
    context.log(`the termination message could not be written: ${messageOf(thrown)}`);
  }
  return exitCode;
}

async function outcomeOf(name: string, args: readonly string[], context: JobContext): Promise<JobOutcome> {
  try {
    const job = jobs.get(name);
    if (job === undefined) throw unknownJob(name);
    return await job.run(context, parseFlags(name, args, job.flags));
  } catch (thrown) {
    const error = errorOf(thrown, context.signal);
    if (error.disposition === "bug") context.log(stackOf(thrown));
    return { exitCode: error.exitCode, message: wordsOf(error) };
  }
}

function unknownJob(name: string) {
  const near = nearestName(name, jobNames);
  return usageError(
    `there is no job ${JSON.stringify(name)}`,
    near === undefined ? `Use one of ${jobNames.join(", ")}.` : `Did you mean ${near}?`,
  );
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
