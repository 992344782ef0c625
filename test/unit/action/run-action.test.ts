import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fittingSummary, problemsMarkdown } from "../../../src/shells/action/job-summary.ts";
import { kubeconfigSecrets } from "../../../src/shells/action/kubeconfig-secrets.ts";
import { runAction } from "../../../src/shells/action/run-action.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-action-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("a step that is refused ends with 2, an annotation, a summary and outputs, and shows no secret", async () => {
  const [summary, output] = [join(folder, "summary"), join(folder, "output")];
  let log = "";
  const env = {
    INPUT_MODE: "plan",
    INPUT_TOKEN: "planted-token",
    INPUT_KUBECONFIG: "users:\n- user: {token: planted-50%-bearer}\n",
    // A secret in the wrong place is what is shown by mistake.
    INPUT_CLUSTER: "planted-50%-bearer",
    GITHUB_EVENT_NAME: "pull_request",
    GITHUB_BASE_REF: "main",
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_OUTPUT: output,
  };
  const code = await runAction(env, new AbortController().signal, (text) => {
    log += text;
  });
  expect(code).toBe(2);
  const [first, second, ...rest] = log.split("\n");
  expect([first, second]).toEqual(["::add-mask::planted-token", "::add-mask::planted-50%25-bearer"]);
  expect(rest.join("\n")).toMatch(/^::error title=Holdfast%3A ClusterInvalid::the input cluster is \*\*\*/);
  expect(readFileSync(output, "utf8")).toBe(
    "exit-code=2\ncommit=\nchanges=0\nproblems=1\nwarnings=0\nrecord-commit=\n",
  );
  expect(readFileSync(summary, "utf8")).toMatch(/## Holdfast[\s\S]*\*\*error\*\* the input cluster is/);
  expect(rest.join("\n") + readFileSync(summary, "utf8")).not.toContain("planted");
});

test("every mistake in holdfast.yaml is annotated at its line", async () => {
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" });
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(
    join(folder, "holdfast.yaml"),
    "clusters:\n  lab:\n    path: lab\npol: 1m\nrecord:\n  brunch: x\n",
  );
  git("add", "--all");
  git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "Mistakes");
  let log = "";
  const env = {
    INPUT_MODE: "validate",
    INPUT_CLUSTER: "lab",
    HOLDFAST_REMOTE: folder,
    GITHUB_BASE_REF: "main",
    GITHUB_SHA: git("rev-parse", "HEAD").trim(),
  };
  const code = await runAction(env, new AbortController().signal, (text) => {
    log += text;
  });
  expect(code).toBe(1);
  const annotations = log.split("\n").filter((line) => line.startsWith("::error"));
  expect(annotations).toEqual([
    expect.stringMatching(
      /^::error file=holdfast\.yaml,line=4,.*::unknown field pol; did you mean poll\?%0A/,
    ),
    expect.stringMatching(
      /^::error file=holdfast\.yaml,line=6,.*::unknown field record\.brunch; did you mean branch/,
    ),
  ]);
});

describe("secrets of a kubeconfig", () => {
  test("are found where credentials stand", () => {
    const text = `
users:
- name: a
  user: {token: one-token, client-key-data: two-key, client-certificate-data: shown}
- name: b
  user: {username: shown, password: three-password}
- name: c
  user: {exec: {command: shown, args: [shown], env: [{name: API_TOKEN, value: four-value}]}}
- name: d
  user: {auth-provider: {name: oidc, config: {id-token: five-id, refresh-token: six-refresh, client-secret: seven}}}
`;
    expect(kubeconfigSecrets(text)).toEqual([
      "one-token",
      "two-key",
      "three-password",
      "four-value",
      "five-id",
      "six-refresh",
      "seven",
    ]);
  });

  test("are not the public variables of a plugin, nor values so short that they would blacken the log", () => {
    const text = `
users:
- name: a
  user:
    exec:
      env:
      - {name: AWS_REGION, value: eu-west-1}
      - {name: X, value: "1"}
      - {name: USE_TOKEN, value: "1"}
      - {name: aws_secret_access_key, value: planted}
      - {value: nameless}
`;
    expect(kubeconfigSecrets(text)).toEqual(["planted"]);
    expect(kubeconfigSecrets("{\n  token: planted\n")).toEqual(["token: planted"]);
  });

  test("are all of its lines when it cannot be read", () => {
    expect(kubeconfigSecrets("users: [\n  token: abc\n")).toEqual(["users: [", "token: abc"]);
  });
});

describe("a job summary", () => {
  test("is cut at a line where the runner would refuse it, and says so", () => {
    const line = `- ${"ü".repeat(100)}\n`;
    const fitting = fittingSummary(line.repeat(10_000));
    expect(Buffer.byteLength(fitting)).toBeLessThanOrEqual(2 ** 20);
    expect(fitting).toMatch(/ü\n\n\d+ more lines do not fit here; the log has them\.\n$/);
    expect(fittingSummary(line)).toBe(line);
  });

  test("shows names that are Markdown as they are", () => {
    const problem = {
      severity: "error",
      reason: "X",
      message: "[a](http://b) <img> |",
      next: "`c`",
    } as const;
    expect(problemsMarkdown([problem])).toContain("\\[a\\](http://b) \\<img\\> \\| — \\`c\\`");
  });
});
