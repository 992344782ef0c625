import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { act } from "../../../src/pass/act/act.ts";
import type { Mark } from "../../../src/pass/plan/step.ts";
import { scriptedServer, sendJson, sendStatus } from "../ports-kube/scripted-server.ts";
import { objectOf } from "./world-of.ts";

const session = objectOf("BackupSession", "demo/run");
const job = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { namespace: "demo", name: "run" },
};

/** What is written of a refused Job by a pass that finds these conditions, and what it answers. */
async function passOver(conditions: Mark["conditions"]) {
  const { kube, asked } = await scriptedServer(({ method }, response) =>
    method === "POST" ? sendStatus(response, 403, "Forbidden") : sendJson(response, session),
  );
  const { apiVersion, kind } = session;
  const mark: Mark = {
    ref: { apiVersion, kind, namespace: "demo", name: "run" },
    resourceVersion: "7",
    conditions,
    condition: "BackupExecutorEnsured",
    whenTrue: "Made",
    whenFalse: "NotMade",
    observedGeneration: 1,
  };
  const ports = {
    kube,
    clock: systemClock,
    version: "1.2.3",
    signal: new AbortController().signal,
    openObjects: () => {
      throw new Error("nothing is stored");
    },
  };
  const { results } = await act(ports, { steps: [{ kind: "create", object: job, mark, because: "due" }] });
  const patches = asked.filter(({ method }) => method === "PATCH").map(({ body }) => JSON.parse(body));
  return { patches, results: results.map(({ result }) => result) };
}

test("a refusal is told once: whoever waits for news has none when it is the same", async () => {
  const first = await passOver([]);
  expect(first.results).toEqual(["failed", "configured"]);
  const [patch] = first.patches;
  expect(patch.status.conditions).toMatchObject([
    { type: "BackupExecutorEnsured", status: "Unknown", reason: "Forbidden" },
  ]);
  const second = await passOver(patch.status.conditions);
  expect(second).toEqual({ patches: [], results: ["failed"] });
});
