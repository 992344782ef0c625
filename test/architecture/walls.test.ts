import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lintConfig } from "../../scripts/lint-config.ts";
import { importsOf, root, textOf, trackedFiles } from "./project-files.ts";
import { passage, roomOf } from "./wall-rules.ts";
import { ownedLibraries, walls } from "./walls.ts";

const sources = trackedFiles("src").filter((path) => path.endsWith(".ts"));

test("the lint rules are the ones that the table says", () => {
  expect(JSON.parse(textOf(".oxlintrc.json"))).toEqual(JSON.parse(JSON.stringify(lintConfig())));
});

test("every source file lives in a room", () => {
  expect(sources.filter((path) => roomOf(path.slice(4)) === undefined)).toEqual([]);
  expect(sources.length).toBeGreaterThan(0);
});

test("every import, resolved, stays within the walls", () => {
  expect(sources.flatMap((path) => breaches(path, textOf(path)))).toEqual([]);
});

test("a library that belongs to a room is imported by that room only", () => {
  const strangers = sources.flatMap((path) =>
    importsOf(textOf(path)).flatMap(({ specifier, line }) => {
      const owned = ownedLibraries.find(({ library }) => `${specifier}/`.startsWith(`${library}/`));
      const room = roomOf(path.slice(4))?.room ?? "";
      const atHome = owned?.rooms.some((home) => `${room}/`.startsWith(`${home}/`)) ?? true;
      return atHome ? [] : [`${path}:${line} imports ${specifier}`];
    }),
  );
  expect(strangers).toEqual([]);
});

test("no folder in a room has the name of another room, which lint could not tell apart", () => {
  const names = new Set(
    walls.flatMap(({ room }) => [room.split("/")[0] ?? "", room.split("/").at(-1) ?? ""]),
  );
  const folders = new Set(sources.map((path) => posix.dirname(path.slice(4))));
  const inner = [...folders].filter((folder) => !walls.some(({ room }) => room === folder));
  expect(inner.filter((folder) => names.has(posix.basename(folder)))).toEqual([]);
});

test("pure rooms do not ask what time it is", () => {
  const pure = sources.filter((path) => roomOf(path.slice(4))?.pure === true);
  expect(pure.filter((path) => /\bDate\(\)|\bDate\.now\b|\bTemporal\.Now\b/.test(textOf(path)))).toEqual([]);
});

/** `path` is from the project's root. */
function breaches(path: string, text: string): readonly string[] {
  const from = roomOf(path.slice(4));
  if (from === undefined) return [];
  return importsOf(text).flatMap(({ specifier, line, typeOnly }) => {
    if (specifier.startsWith("node:"))
      return from.pure ? [`${path}:${line} ${specifier}: ${from.because}`] : [];
    if (!specifier.startsWith(".")) return [];
    const target = posix.join(posix.dirname(path), specifier);
    const to = target.startsWith("src/") ? roomOf(target.slice(4)) : undefined;
    if (to === undefined) return [`${path}:${line} ${specifier}: it leads out of src/`];
    const way = passage(from, to.room);
    if (way === "open" || (way === "types" && typeOnly)) return [];
    return [`${path}:${line} ${specifier} (${way}): ${from.because}`];
  });
}

/** A file that must not stand, and one that may: what lint and the resolver say about each import of it. */
const probes: readonly { file: string; refused: readonly string[]; allowed: readonly string[] }[] = [
  {
    file: "src/pass/plan/kinds/probe.ts",
    refused: [
      'import { a } from "../../act/act.ts"',
      'import { a } from "../../desired/desired.ts"',
      'import { a } from "../../../ports/kube/kube.ts"',
      'import type { A } from "../../../ports/kube/kube.ts"',
      'import { a } from "node:fs"',
      'export * from "../../act/act.ts"',
      'export { a } from "../../declared/declared.ts"',
    ],
    allowed: [
      'import type { A } from "../../desired/desired.ts"',
      'import { a } from "../draft.ts"',
      'import { a } from "../../../api/meta.ts"',
    ],
  },
  {
    file: "src/pass/plan/probe.ts",
    refused: ['import { a } from "../reconcile.ts"', 'import { a } from "../../../test/x.ts"'],
    allowed: ['import { a } from "./kinds/snapshot.ts"'],
  },
  {
    file: "src/pass/act/probe.ts",
    refused: ['import { a } from "../../mover/job.ts"', 'import { a } from "../plan/plan.ts"'],
    allowed: ['import { a } from "../../mover/storage/x.ts"', 'import type { A } from "../plan/plan.ts"'],
  },
  {
    file: "src/pass/probe.ts",
    refused: ['import { a } from "../ports/git/remote.ts"', 'import { a } from "../shells/cli/x.ts"'],
    allowed: ['import { a } from "./plan/plan.ts"', 'import type { A } from "../ports/git/remote.ts"'],
  },
  {
    file: "src/embedded/deep/er/probe.ts",
    refused: [
      'import { a } from "../../../ports/kube/kube.ts"',
      'import { a } from "@kubernetes/client-node"',
    ],
    allowed: ['import { a } from "../../api.ts"', 'import { a } from "node:http"'],
  },
  {
    file: "src/base/probe.ts",
    refused: ['import { a } from "../api/meta.ts"', 'import { a } from "isomorphic-git"'],
    allowed: ['import { a } from "./errors.ts"'],
  },
  {
    file: "src/ports/git/probe.ts",
    refused: ['import { a } from "../kube/kube.ts"', 'import { a } from "@aws-sdk/client-s3"'],
    allowed: ['import { a } from "isomorphic-git"', 'import { a } from "../../base/errors.ts"'],
  },
  {
    file: "src/mover/storage/probe.ts",
    refused: ['import { a } from "../job.ts"', 'import { a } from "../../ports/restic/restic.ts"'],
    allowed: ['import { a } from "../../ports/objects/objects.ts"'],
  },
  {
    file: "src/shells/cli/probe.ts",
    refused: ['import { a } from "../../pass/plan/plan.ts"'],
    allowed: [
      'import { a } from "../../pass/reconcile.ts"',
      'import type { A } from "../../pass/plan/plan.ts"',
    ],
  },
];

describe("probes", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-walls-"));
    const config = { ...lintConfig(), options: {} };
    writeFileSync(join(folder, ".oxlintrc.json"), JSON.stringify(config));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The lines of a file that lint refuses because of a wall. */
  function refusedByLint(file: string, text: string): readonly number[] {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
    const printed = lint(folder, file);
    const {
      diagnostics,
    }: { diagnostics: readonly { code: string; labels: readonly { span: { line: number } }[] }[] } =
      JSON.parse(printed);
    const walled = diagnostics.filter(({ code }) => code.includes("no-restricted"));
    return [...new Set(walled.flatMap(({ labels }) => labels.map(({ span }) => span.line)))].sort(
      (a, b) => a - b,
    );
  }

  test.each(probes)("$file", ({ file, refused, allowed }) => {
    const named = [...refused, ...allowed].map((line, index) =>
      line.replace(/\{ (a) \}/i, `{ $1 as a${index} }`),
    );
    const text = `${named.join(";\n")};\n`;
    const lines = refused.map((_, index) => index + 1);
    expect(refusedByLint(file, text)).toEqual(lines);
    const inside = refused.flatMap((line, index) => (/"\.|"node:/.test(line) ? [index + 1] : []));
    expect(breaches(file, text).map((breach) => Number(breach.split(/[: ]/)[1]))).toEqual(inside);
  });

  test("a pure room reaches no clock, no environment and no network", () => {
    const lines = [
      "Date.now()",
      "process.env",
      'fetch("x")',
      "setTimeout(() => {}, 1)",
      "Math.random()",
      "globalThis.x",
    ];
    const text = `${[...lines, "Date.parse(x)", "new Date(5)"].map((line, index) => `export const a${index} = ${line};`).join("\n")}\n`;
    expect(refusedByLint("src/pass/plan/clock.ts", text)).toEqual(lines.map((_, index) => index + 1));
    expect(refusedByLint("src/pass/observed/clock.ts", text)).toEqual([]);
  });
});

function lint(folder: string, file: string): string {
  const args = [join(root, "node_modules/oxlint/bin/oxlint"), "--format", "json", file];
  try {
    return execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  } catch (error) {
    // Exit code 1 says that something was found.
    if (error instanceof Error && "stdout" in error) return String(error.stdout);
    throw error;
  }
}
