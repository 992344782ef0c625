import { nameOf, refOf } from "../../api/meta.ts";
import { oneLine, printable } from "../../base/printable.ts";
import type { Problem } from "../../base/problem.ts";
import type { Entry, Plan, Step } from "../../pass/plan/step.ts";

export type StepView = { readonly verb: string; readonly object: string; readonly because: string };

/** Steps as people read them: destructive ones first, bookkeeping of statuses left out. */
export function stepViews(plan: Plan): readonly StepView[] {
  const views = plan.steps.filter((step) => step.kind !== "status" && step.kind !== "note").map(viewOf);
  return [...views].sort((a, b) => rank(a.verb) - rank(b.verb));
}

function viewOf(step: Step): StepView {
  const { because } = step;
  switch (step.kind) {
    case "apply":
      return {
        verb: step.drift.length > 0 ? "undo drift of" : step.change,
        object: nameOf(refOf(step.object)),
        because,
      };
    case "create":
    case "note":
      return { verb: step.kind, object: nameOf(refOf(step.object)), because };
    case "patch":
      return { verb: "patch", object: nameOf(step.ref), because };
    case "delete":
      return { verb: "delete", object: nameOf(step.ref), because };
    case "store":
      return {
        verb: step.write.do === "wipe" ? "wipe data of" : "write to",
        object: nameOf(refOf(step.storage)),
        because,
      };
    case "status":
      return { verb: "update status of", object: nameOf(step.ref), because };
  }
}

const order = [
  "wipe data of",
  "delete",
  "undo drift of",
  "configure",
  "create",
  "patch",
  "write to",
  "update status of",
];

function rank(verb: string): number {
  return order.indexOf(verb);
}

/** Whether carrying the plan out would change anything. */
export function hasChanges(plan: Plan): boolean {
  return (
    plan.steps.some((step) => step.kind !== "note") || plan.entries.some((entry) => entry.when === "now")
  );
}

export function planText(plan: Plan, problems: readonly Problem[]): string {
  const views = stepViews(plan);
  const claims = plan.entries.filter((entry) => entry.summary !== undefined);
  const lines = [
    `Plan for ${plan.revision.slice(0, 12)}: ${count(views.length, "step")}, ${count(plan.entries.length, "entry", "entries")} for the record`,
    ...views.flatMap((view) => [`  ${view.verb} ${oneLine(view.object)}`, `      ${oneLine(view.because)}`]),
    ...claims.map((entry) => `  record ${oneLine(entry.summary ?? "")}`),
    ...plan.waiting.map((what) => `  waits for ${oneLine(what)}`),
    ...problems.flatMap(problemLines),
  ];
  return `${lines.join("\n")}\n`;
}

export function planMarkdown(plan: Plan, problems: readonly Problem[]): string {
  const rows = stepViews(plan).map(
    (view) => `| ${inert(view.verb)} | ${inert(view.object)} | ${inert(view.because)} |`,
  );
  const table =
    rows.length === 0 ? ["Nothing to do."] : ["| step | object | why |", "| --- | --- | --- |", ...rows];
  const found = problems.map((problem) => `- **${problem.severity}** ${inert(problemText(problem))}`);
  return (
    [
      `### Plan for \`${plan.revision.slice(0, 12)}\``,
      "",
      ...table,
      ...(found.length > 0 ? ["", ...found] : []),
    ].join("\n") + "\n"
  );
}

/** Markdown in names must not do anything. */
export function inert(text: string): string {
  return printable(text)
    .replace(/[\\`*_{}[\]<>|~#@!]/g, (character) => `\\${character}`)
    .replace(/\s+/g, " ");
}

export function planJson(plan: Plan, problems: readonly Problem[]): Readonly<Record<string, unknown>> {
  return {
    revision: plan.revision,
    steps: stepViews(plan),
    statuses: plan.steps.filter((step) => step.kind === "status").map((step) => nameOf(step.ref)),
    entries: plan.entries.map(entryView),
    waiting: plan.waiting,
    wakeAt: plan.wakeAtMs === undefined ? null : new Date(plan.wakeAtMs).toISOString(),
    problems,
  };
}

function entryView({ path, content, when, summary }: Entry): unknown {
  return {
    path,
    change: content === undefined ? "leave" : "write",
    when,
    ...(summary === undefined ? {} : { summary }),
  };
}

export function problemText({ place, object, message }: Problem): string {
  const where = place === undefined ? "" : `${place.path}:${place.line}: `;
  return oneLine(`${where}${object === undefined ? "" : `${object}: `}${message}`);
}

export function problemLines(problem: Problem): readonly string[] {
  const line = `${problem.severity}: ${problemText(problem)} (${problem.reason})`;
  return problem.next === undefined ? [line] : [line, `      ${printable(problem.next)}`];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
