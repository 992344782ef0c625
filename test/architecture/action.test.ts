import { spawnSync } from "node:child_process";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { inputModes } from "../../src/shells/action/inputs.ts";
import { pathOf, requireOrSkip } from "../support/real-parts.ts";
import { root, textOf, trackedFiles } from "./project-files.ts";

type Named = Readonly<Record<string, { readonly description: string }>>;
const description = load(textOf("action.yml")) as {
  readonly inputs: Named;
  readonly outputs: Named;
  readonly runs: { readonly using: string; readonly main: string };
};

test("action.yml has the inputs that the code reads, and no other", () => {
  expect(Object.keys(description.inputs).sort()).toEqual(Object.keys(inputModes).sort());
});

test("docs/action.md tells every input and every output", () => {
  const page = textOf("docs/action.md");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual([...Object.keys(description.inputs), ...Object.keys(description.outputs)]);
});

test("the Action runs the file that is built, and no branch holds it", () => {
  expect(description.runs).toEqual({ using: "node24", main: "dist/action/action.mjs" });
  expect(textOf("scripts/build-action.ts")).toContain('"dist/action"');
  expect(trackedFiles("dist")).toEqual([]);
});

test.runIf(requireOrSkip("actionlint"))("the example's workflow has no mistake", () => {
  const [workflow, ...more] = trackedFiles("examples/gitops-repo/.github/workflows");
  expect(more).toEqual([]);
  const { stdout, status } = spawnSync(pathOf("actionlint"), [workflow ?? ""], {
    cwd: root,
    encoding: "utf8",
  });
  expect([stdout, status]).toEqual(["", 0]);
});
