import type { Problem } from "../../base/problem.ts";
import { inert, problemText } from "../cli/render-plan.ts";

/** The runner refuses the whole summary of a step over 1 MiB, and lets the step pass all the same. */
const maxBytes = 2 ** 20 - 1024;

/** A folded list below a title; nothing for an empty one. */
export function listMarkdown(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `\n#### ${title}\n\n${lines.map((line) => `- ${inert(line)}\n`).join("")}`;
}

export function problemsMarkdown(problems: readonly Problem[]): string {
  const lines = problems.map((problem) => {
    const { severity, next } = problem;
    return `- **${severity}** ${inert(problemText(problem))}${next === undefined ? "" : ` — ${inert(next)}`}\n`;
  });
  return lines.length === 0 ? "" : `\n#### Problems\n\n${lines.join("")}`;
}

/** The summary as the runner takes it: whole lines, as many as fit, and a last one that says what is missing. */
export function fittingSummary(markdown: string): string {
  if (Buffer.byteLength(markdown) <= maxBytes) return markdown;
  const lines = markdown.split("\n");
  let bytes = 0;
  const fitting = lines.findIndex((line) => {
    bytes += Buffer.byteLength(line) + 1;
    return bytes > maxBytes;
  });
  return `${lines.slice(0, fitting).join("\n")}\n\n${lines.length - fitting} more lines do not fit here; the log has them.\n`;
}
