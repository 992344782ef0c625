import { ExitCode } from "../../base/exit-code.ts";
import type { Problem } from "../../base/problem.ts";
import { readDeclared } from "../../pass/declared/read-declared.ts";
import { reconcile } from "../../pass/reconcile.ts";
import { connect } from "../cli/connect.ts";
import { remoteOf } from "../cli/remote-of.ts";
import { planMarkdown, planText, stepViews } from "../cli/render-plan.ts";
import { doneLines, endSentence, failureLines, runLog } from "../run-log.ts";
import { runExitCode, runToEnd } from "../run-to-end.ts";
import type { ActionRequest } from "./action-request.ts";
import type { Mode } from "./inputs.ts";
import { listMarkdown } from "./job-summary.ts";
import type { Write } from "./workflow-commands.ts";

export type Performed = {
  readonly exitCode: number;
  readonly problems: readonly Problem[];
  /** Of the job summary, without the problems. */
  readonly markdown: string;
  /** The commit that was read. */
  readonly commit: string;
  /** How many steps the plan has, or the run took; updates of statuses are not counted. */
  readonly changes: number;
  /** The last commit of the record that the run made. */
  readonly recordCommit?: string;
};

type Perform = (request: ActionRequest, signal: AbortSignal, write: Write) => Promise<Performed>;

/** What the commands of the same names do; `write` gets the log. Throws what they throw. */
export const perform: Readonly<Record<Mode, Perform>> = {
  async validate(request, signal, write) {
    const { documents, problems, revision } = await readDeclared(remoteOf(request, signal), request, signal);
    const sentence = `${documents.length} object(s) are declared for ${request.cluster} at ${revision.commit.slice(0, 12)}.`;
    write(`${sentence}\n`);
    return {
      exitCode: exitCodeOf(problems),
      problems,
      markdown: `${sentence}\n`,
      commit: revision.commit,
      changes: 0,
    };
  },

  async plan(request, signal, write) {
    const { ports, request: asked } = await connectAs(request, signal);
    const { commit } = request;
    const { plan, problems } = await reconcile(ports, {
      ...asked,
      ...(commit === undefined ? {} : { commit }),
      flush: false,
      planOnly: true,
    });
    write(planText(plan, []));
    return {
      exitCode: exitCodeOf(problems),
      problems,
      markdown: planMarkdown(plan, []),
      commit: plan.revision,
      changes: stepViews(plan).length,
    };
  },

  async run(request, signal, write) {
    const { ports, request: asked } = await connectAs(request, signal);
    const line = (text: string) => write(`${text}\n`);
    const log = runLog(line, line);
    const done: string[] = [];
    let recordCommit: string | undefined;
    const run = await runToEnd(ports, asked, {
      timeoutMs: request.timeoutMs,
      onPass(result) {
        log.onPass(result);
        done.push(...doneLines(result));
        if (result.recorded.kind === "written") recordCommit = result.recorded.commit;
      },
    });
    log.end(run);
    const recorded = recordCommit === undefined ? "" : `\nRecorded by commit ${recordCommit}.\n`;
    return {
      exitCode: runExitCode(run),
      problems: run.problems,
      markdown: `${endSentence(run)}\n${recorded}${listMarkdown("Failed", failureLines(run))}${listMarkdown("Done", done)}`,
      commit: run.last.plan.revision,
      changes: done.length,
      ...(recordCommit === undefined ? {} : { recordCommit }),
    };
  },
};

function connectAs(
  { kubeconfig, ...request }: ActionRequest,
  signal: AbortSignal,
): ReturnType<typeof connect> {
  return connect({ ...request, ...(kubeconfig === undefined ? {} : { kubeconfigText: kubeconfig }) }, signal);
}

function exitCodeOf(problems: readonly Problem[]): number {
  return problems.some(({ severity }) => severity === "error") ? ExitCode.failed : ExitCode.ok;
}
