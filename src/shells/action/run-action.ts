import { appendFile } from "node:fs/promises";
import { type HoldfastError, toHoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import type { Problem } from "../../base/problem.ts";
import { createRedactor } from "../../base/redact.ts";
import { problemLines } from "../cli/render-plan.ts";
import { type ActionRequest, type Environment, readRequest } from "./action-request.ts";
import { fittingSummary, problemsMarkdown } from "./job-summary.ts";
import { kubeconfigSecrets } from "./kubeconfig-secrets.ts";
import { type Performed, perform } from "./perform.ts";
import { annotated, type Write, withoutCommands, workflowCommand } from "./workflow-commands.ts";

/** What a step ends with, whether it came to an end or was stopped by an error. */
type Ended = Pick<Performed, "exitCode" | "problems" | "markdown"> & Partial<Performed>;

/** One step of a workflow: the pass, its annotations, its summary and its outputs. Answers the exit code. */
export async function runAction(env: Environment, signal: AbortSignal, write: Write): Promise<number> {
  const masked = maskedValues(env);
  for (const value of masked) write(workflowCommand("add-mask", value));
  const redact = createRedactor(masked);
  const log: Write = (text) => write(redact(text));
  let request: ActionRequest | undefined;
  let ended: Ended;
  try {
    const asked = await readRequest(env);
    request = asked;
    ended = await withoutCommands(write, () => perform[asked.mode](asked, signal, log));
  } catch (thrown) {
    ended = endedBy(toHoldfastError(thrown), signal);
  }
  const problems = ended.problems.map((problem) => redactedBy(redact, problem));
  const { commands, rest } = annotated(problems);
  for (const command of commands) write(command);
  if (rest.length > 0)
    await withoutCommands(write, async () => log(`${rest.flatMap(problemLines).join("\n")}\n`));
  const title = request === undefined ? "Holdfast" : `Holdfast ${request.mode}: ${request.cluster}`;
  const summary = `## ${title}\n\n${ended.markdown}${problemsMarkdown(problems)}\n`;
  await appendTo(env["GITHUB_STEP_SUMMARY"], fittingSummary(redact(summary)));
  await appendTo(env["GITHUB_OUTPUT"], outputsOf(ended));
  return ended.exitCode;
}

/** Before anything is encoded: a secret that was encoded would not be found. */
function redactedBy(redact: (text: string) => string, { next, ...problem }: Problem): Problem {
  return {
    ...problem,
    message: redact(problem.message),
    ...(next === undefined ? {} : { next: redact(next) }),
  };
}

/** The values that are secret, in every mode and before they are checked. */
function maskedValues(env: Environment): readonly string[] {
  const tokens = [env["INPUT_TOKEN"], env["HOLDFAST_GIT_TOKEN"]].flatMap((token) => token || []);
  return [...tokens, ...kubeconfigSecrets(env["INPUT_KUBECONFIG"] ?? "")];
}

function endedBy(error: HoldfastError, signal: AbortSignal): Ended {
  if (signal.aborted) return { exitCode: ExitCode.interrupted, problems: [], markdown: "Interrupted.\n" };
  const { exitCode, problems } = error;
  return {
    exitCode,
    problems: problems.length > 0 ? problems : [problemOf(error)],
    markdown: "Nothing more was done.\n",
  };
}

function problemOf(error: HoldfastError): Problem {
  const { reason, message, disposition, cause } = error;
  const next = nextOf(error);
  const stack = disposition === "bug" && cause instanceof Error ? cause.stack : undefined;
  return { severity: "error", reason, message: stack ?? message, ...(next === undefined ? {} : { next }) };
}

function nextOf({ reason, next }: HoldfastError): string | undefined {
  if (reason !== "ClusterUnknown") return next;
  return "Give the input kubeconfig, or set KUBECONFIG. Pull requests from forks get no secrets: use mode validate for them.";
}

/** The outputs of action.yml; numbers and ids only, one line each. */
function outputsOf({ exitCode, problems, commit = "", changes = 0, recordCommit = "" }: Ended): string {
  const count = (severity: Problem["severity"]) => problems.filter((one) => one.severity === severity).length;
  const outputs = {
    "exit-code": exitCode,
    commit,
    changes,
    problems: count("error"),
    warnings: count("warning"),
    "record-commit": recordCommit,
  };
  return Object.entries(outputs)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function appendTo(file: string | undefined, text: string): Promise<void> {
  if (file !== undefined && file !== "") await appendFile(file, text);
}
