import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Problem } from "../../../src/base/problem.ts";
import { annotated, withoutCommands, workflowCommand } from "../../../src/shells/action/workflow-commands.ts";

describe("a command for the runner", () => {
  test("carries file, line and title, and a message of several lines", () => {
    const properties = { file: "a,b:c%.yaml", line: 7, title: "Holdfast: Reason" };
    expect(workflowCommand("error", "100 % wrong\r\nwrite 99: it is less", properties)).toBe(
      "::error file=a%2Cb%3Ac%25.yaml,line=7,title=Holdfast%3A Reason::100 %25 wrong%0D%0Awrite 99: it is less\n",
    );
    expect(workflowCommand("add-mask", "secret")).toBe("::add-mask::secret\n");
  });

  test("is one line that means what was said, whatever was said", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (message, file) => {
        const line = workflowCommand("error", `${message}\n::${file}`, { file: `${file}\n`, line: 1 });
        expect(line.indexOf("\n")).toBe(line.length - 1);
        const [, properties = "", said = ""] = /^::error ([^:]*)::(.*)\n$/s.exec(line) ?? [];
        expect(decoded(said)).toBe(`${message}\n::${file}`);
        expect(properties.split(",").map(decoded)).toEqual([`file=${file}\n`, "line=1"]);
      }),
    );
  });
});

/** As the runner does, the sign of the encoding last. */
function decoded(text: string): string {
  return text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");
}

test("what others wrote is printed while commands are stopped by a word that is never the same", async () => {
  const words = new Set<string>();
  for (const fails of [false, true]) {
    const lines: string[] = [];
    const work = withoutCommands(
      (text) => lines.push(text),
      async () => {
        lines.push("::error::from a file\n");
        if (fails) throw new Error("it failed");
      },
    );
    const ended = await work.then(
      () => "done",
      (error: Error) => error.message,
    );
    expect(ended).toBe(fails ? "it failed" : "done");
    const [stop = "", , go = ""] = lines;
    const word = /^::stop-commands::([-0-9a-f]{36})\n$/.exec(stop)?.[1] ?? "";
    expect(go).toBe(`::${word}::\n`);
    words.add(word);
  }
  expect(words.size).toBe(2);
});

describe("problems as annotations", () => {
  const problem = (severity: Problem["severity"], line?: number): Problem => ({
    severity,
    reason: "FieldUnknown",
    message: `number ${line}`,
    object: "RetentionPolicy vault/keep",
    next: "Correct it.",
    ...(line === undefined ? {} : { place: { path: "clusters/lab/a.yaml", line } }),
  });

  test("stand at their line, with the object and what to do next", () => {
    expect(annotated([problem("warning", 3)])).toEqual({
      commands: [
        "::warning file=clusters/lab/a.yaml,line=3,title=Holdfast%3A FieldUnknown::RetentionPolicy vault/keep: number 3%0ACorrect it.\n",
      ],
      rest: [],
    });
  });

  test("are ten errors and ten warnings at most, those with a line first, and none is lost", () => {
    const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
    const problems = [
      problem("error"),
      ...numbers.flatMap((line) => [problem("error", line), problem("warning", line)]),
    ];
    const { commands, rest } = annotated(problems);
    expect(commands.filter((command) => command.startsWith("::error file="))).toHaveLength(10);
    expect(commands.filter((command) => command.startsWith("::warning file="))).toHaveLength(10);
    expect(rest).toHaveLength(problems.length - 20);
    expect(rest).toContainEqual(problem("error"));
  });
});
