import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Environment, readRequest } from "../../../src/shells/action/action-request.ts";

const sha = "a".repeat(40);
const folder = mkdtempSync(join(tmpdir(), "holdfast-action-"));
const eventFile = join(folder, "event.json");
writeFileSync(eventFile, JSON.stringify({ repository: { default_branch: "trunk" } }));

afterAll(() => rmSync(folder, { recursive: true }));

const step = (changes: Environment = {}): Environment => ({
  GITHUB_SERVER_URL: "https://github.example.com",
  GITHUB_REPOSITORY: "team/ops",
  GITHUB_EVENT_NAME: "push",
  GITHUB_REF: "refs/heads/trunk",
  GITHUB_SHA: sha,
  GITHUB_EVENT_PATH: eventFile,
  INPUT_MODE: "run",
  INPUT_CLUSTER: "production",
  INPUT_TOKEN: "a-token",
  // As the runner hands over what is declared and not given.
  INPUT_PATH: "",
  INPUT_CONTEXT: "",
  ...changes,
});
const pullRequest = (changes: Environment = {}): Environment =>
  step({
    GITHUB_EVENT_NAME: "pull_request",
    GITHUB_REF: "refs/pull/7/merge",
    GITHUB_BASE_REF: "stable",
    INPUT_MODE: "plan",
    ...changes,
  });

describe("what a step asks for", () => {
  test("a run is of the default branch's tip, with the token for the server that issued it", async () => {
    expect(await readRequest(step())).toEqual({
      mode: "run",
      cluster: "production",
      branch: "trunk",
      remote: "https://github.example.com/team/ops",
      token: "a-token",
      timeoutMs: 3_600_000,
    });
  });

  test("a plan of a pull request is of what merging it would make, for the branch that it goes to", async () => {
    expect(await readRequest(pullRequest({ INPUT_KUBECONFIG: "kind: Config\n" }))).toMatchObject({
      mode: "plan",
      branch: "stable",
      commit: sha,
      kubeconfig: "kind: Config",
    });
  });

  test("a scheduled run, whose event names no repository, is of the branch that it was started on", async () => {
    const bare = join(folder, "schedule.json");
    writeFileSync(bare, JSON.stringify({ schedule: "17 * * * *" }));
    const env = { GITHUB_EVENT_NAME: "schedule", GITHUB_REF: "refs/heads/main", GITHUB_EVENT_PATH: bare };
    expect(await readRequest(step(env))).toMatchObject({ mode: "run", branch: "main" });
    await expect(readRequest(step({ ...env, GITHUB_REF: "refs/tags/v1" }))).rejects.toThrow(
      "names no branch",
    );
  });

  test("inputs go before variables, and variables before the event", async () => {
    const variables = { HOLDFAST_CLUSTER: "staging", HOLDFAST_BRANCH: "main", HOLDFAST_PATH: "a" };
    const asked = { ...variables, INPUT_MODE: "validate", INPUT_CLUSTER: "" };
    expect(await readRequest(step(asked))).toMatchObject({ cluster: "staging", branch: "main", path: "a" });
    const given = { ...asked, INPUT_CLUSTER: "lab", INPUT_BRANCH: "next", INPUT_PATH: "b" };
    expect(await readRequest(step(given))).toMatchObject({ cluster: "lab", branch: "next", path: "b" });
  });

  test("the token is not sent to another address that HOLDFAST_REMOTE names", async () => {
    const { remote, token } = await readRequest(step({ HOLDFAST_REMOTE: "https://mirror.example.com/ops" }));
    expect({ remote, token }).toEqual({ remote: "https://mirror.example.com/ops", token: undefined });
  });
});

describe("a step is refused before anything is done", () => {
  const refusals: readonly (readonly [string, Environment, RegExp])[] = [
    ["without a mode", step({ INPUT_MODE: "" }), /the input mode is missing/],
    ["with a mode that there is not", step({ INPUT_MODE: "apply" }), /the input mode is apply/],
    ["without a cluster", step({ INPUT_CLUSTER: "" }), /the input cluster is missing/],
    ["with a cluster that is a path", step({ INPUT_CLUSTER: "../x" }), /not a DNS label/],
    ["with a misspelt input", step({ INPUT_TIMOUT: "1h" }), /there is no input timout.*Did you mean timeout/],
    ["with an input that needs the forge", step({ INPUT_COMMENT: "true" }), /no input comment.*job summary/],
    ["with an input named like a part of every object", step({ INPUT___PROTO__: "x" }), /no input __proto__/],
    [
      "with a cluster's access that nothing asks for",
      step({ INPUT_MODE: "validate", INPUT_KUBECONFIG: "x" }),
      /kubeconfig means nothing in mode validate/,
    ],
    ["with a commit for a run", step({ INPUT_COMMIT: sha }), /commit means nothing in mode run/],
    ["with half a commit", pullRequest({ INPUT_COMMIT: "abc" }), /abc, not the whole id/],
    [
      "with a timeout that is none",
      step({ INPUT_TIMEOUT: "soon" }),
      /the input timeout soon is not a duration/,
    ],
    ["to run a pull request", pullRequest({ INPUT_MODE: "run" }), /mode run on a pull request/],
    [
      "to run a pull request by another event",
      step({ GITHUB_EVENT_NAME: "pull_request_target" }),
      /mode run on a pull request/,
    ],
    [
      "to run a branch that does not declare",
      step({ GITHUB_REF: "refs/heads/wip" }),
      /wip was pushed, and trunk/,
    ],
    [
      "to plan what pull_request_target stands on",
      pullRequest({ GITHUB_EVENT_NAME: "pull_request_target" }),
      /before the merge/,
    ],
    ["outside of a workflow", step({ GITHUB_REPOSITORY: "" }), /are not set/],
  ];

  test.each(refusals)("%s", async (_what, env, sentence) => {
    const error = await readRequest(env).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ disposition: "stall", exitCode: 2 });
    expect(`${String(error)} ${String(Reflect.get(Object(error), "next"))}`).toMatch(sentence);
  });
});
