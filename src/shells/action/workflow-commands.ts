import { randomUUID } from "node:crypto";
import type { Problem } from "../../base/problem.ts";

export type Write = (text: string) => void;

/** The runner keeps this many annotations of each severity from one step and drops the others without a word. */
export const shownAtMost = 10;

/**
 * One line of output that the runner of GitHub Actions carries out: `::name key=value::message`.
 * Whatever could end the line, a property or the command is encoded, as the runner decodes it.
 */
export function workflowCommand(
  name: string,
  message: string,
  properties: Readonly<Record<string, string | number>> = {},
): string {
  const pairs = Object.entries(properties).map(
    ([key, value]) => `${key}=${encoded(String(value)).replaceAll(":", "%3A").replaceAll(",", "%2C")}`,
  );
  return `::${name}${pairs.length === 0 ? "" : ` ${pairs.join(",")}`}::${encoded(message)}\n`;
}

function encoded(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * Runs work that prints what others wrote. A line of it may look like a command, so the runner is told to carry out
 * none until it reads a word that nobody can know beforehand.
 */
export async function withoutCommands<T>(write: Write, work: () => Promise<T>): Promise<T> {
  const word = randomUUID();
  write(workflowCommand("stop-commands", word));
  try {
    return await work();
  } finally {
    write(workflowCommand(word, ""));
  }
}

/** Problems as annotations on their lines, those with a place first, and the ones that the runner would drop. */
export function annotated(problems: readonly Problem[]): {
  readonly commands: readonly string[];
  readonly rest: readonly Problem[];
} {
  const placedFirst = problems.toSorted(
    (a, b) => Number(b.place !== undefined) - Number(a.place !== undefined),
  );
  const bySeverity = Map.groupBy(placedFirst, ({ severity }) => severity);
  const groups = [...bySeverity.values()];
  return {
    commands: groups.flatMap((group) => group.slice(0, shownAtMost).map(annotation)),
    rest: groups.flatMap((group) => group.slice(shownAtMost)),
  };
}

function annotation({ severity, reason, place, object, message, next }: Problem): string {
  const where = place === undefined ? {} : { file: place.path, line: place.line };
  const sentence = object === undefined ? message : `${object}: ${message}`;
  const text = next === undefined ? sentence : `${sentence}\n${next}`;
  return workflowCommand(severity, text, { ...where, title: `Holdfast: ${reason}` });
}
