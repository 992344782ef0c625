import { Command } from "commander";
import { version } from "../version.ts";
import { addBackup } from "./commands/backup.ts";
import { addCompletion } from "./commands/completion.ts";
import { addController } from "./commands/controller.ts";
import { addDiff } from "./commands/diff.ts";
import { addDownload } from "./commands/download.ts";
import { addJob } from "./commands/job.ts";
import { addLog } from "./commands/log.ts";
import { addPause, addResume } from "./commands/pause.ts";
import { addPlan } from "./commands/plan.ts";
import { addRestore } from "./commands/restore.ts";
import { addRun } from "./commands/run.ts";
import { addSnapshots } from "./commands/snapshots.ts";
import { addStatus } from "./commands/status.ts";
import { addUp } from "./commands/up.ts";
import { addValidate } from "./commands/validate.ts";
import type { Shell } from "./shell.ts";

/** The command line. Unknown commands and options are usage errors (exit code 2). */
export function createProgram(shell: Shell, name = "holdfast"): Command {
  const program = new Command("holdfast")
    .description("GitOps backup and restore for Kubernetes: Git declares, the cluster runs, Git records.")
    .version(version)
    .exitOverride()
    // Needed for commands that hand their words through untouched.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => process.stdout.write(underName(text, name)),
      writeErr: (text) => process.stderr.write(underName(text, name)),
    })
    .showHelpAfterError("(run with --help for how it is used)")
    .addHelpText(
      "after",
      "\nExit codes: 0 ok, 1 failed, 2 usage, 3 partial, 4 plan has changes, 10 no repository, 11 locked, 12 wrong password, 70 bug, 130 interrupted.",
    );
  for (const add of [
    addValidate,
    addPlan,
    addRun,
    addUp,
    addController,
    addBackup,
    addRestore,
    addPause,
    addResume,
    addStatus,
    addSnapshots,
    addDownload,
    addDiff,
    addLog,
    addCompletion,
    addJob,
  ])
    add(program, shell);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
}

/** A text that tells of commands, for somebody who calls the program by another name. */
export function underName(text: string, name: string): string {
  return name === "holdfast" ? text : text.replace(/\bholdfast (?=[a-z[<-])/g, `${name} `);
}
