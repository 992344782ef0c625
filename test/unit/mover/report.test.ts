import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { resourceOf } from "../../../src/api/kinds.ts";
import type { JobContext } from "../../../src/mover/job-context.ts";
import { createReporter, managerOf, type Reporter } from "../../../src/mover/report.ts";
import { createSecretKeeper } from "../../../src/mover/secret-keeper.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";

type State = { readonly phase: string; readonly error?: string };
type Written = { readonly path: string; readonly component: State };

let server: Server;
let kube: KubeConnection;
let written: Written[];
/** Statuses of the next answers; 200 when there are none. */
let codes: number[];
let now: number;
let naps: number[];
let reporter: Reporter<State>;

beforeEach(async () => {
  written = [];
  codes = [];
  naps = [];
  now = 1_000_000;
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const code = codes.shift() ?? 200;
      const body = JSON.parse(text) as { status: { components: Record<string, State> } };
      const component = body.status.components["dump"];
      if (code === 200 && component !== undefined) written.push({ path: request.url ?? "", component });
      response.writeHead(code, { "content-type": "application/json" });
      response.end(code === 200 ? text : JSON.stringify({ kind: "Status", code, message: "no" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server: `http://127.0.0.1:${address.port}` } }],
    users: [{ name: "x", user: {} }],
  });
  kube = await connectKube({ kubeconfigText });
  const clock = { ...hurriedClock(naps), now: () => now };
  const secrets = createSecretKeeper();
  secrets.add(["hunter2"]);
  const context: JobContext = {
    kube,
    clock,
    secrets,
    openObjects,
    restic: createRestic({ environment: {}, clock }),
    root: "",
    environment: {},
    version: "test",
    log: () => {},
    signal: AbortSignal.abort(),
  };
  reporter = createReporter(context, {
    resource: resourceOf("Snapshot"),
    namespace: "a",
    name: "s",
    component: "dump",
  });
});
afterEach(async () => {
  await kube.close();
  server.closeAllConnections();
  server.close();
});

it("is written to the status of its own component, by a manager of its own, though the job is told to end", async () => {
  await reporter.write({ phase: "Failed", error: "password hunter2 is wrong" });
  expect(written).toEqual([
    {
      path: expect.stringMatching(
        /\/namespaces\/a\/snapshots\/s\/status\?.*fieldManager=holdfast-mover-dump.*force=true|force=true.*fieldManager=holdfast-mover-dump/,
      ),
      component: { phase: "Failed", error: "password *** is wrong" },
    },
  ]);
  expect(managerOf("dump-pod-0")).not.toBe(managerOf("dump-pod-1"));
});

it("is tried again after a conflict, later and later", async () => {
  codes = [409, 409];
  await reporter.write({ phase: "Succeeded" });
  expect(written).toHaveLength(1);
  expect(naps).toEqual([500, 1000]);
});

it("is not tried again when the object is gone", async () => {
  codes = [404];
  await expect(reporter.write({ phase: "Succeeded" })).rejects.toMatchObject({ code: 404 });
  expect(naps).toEqual([]);
});

it("of progress is written at most every 10 seconds, and its failure is nobody's", async () => {
  const tell = (phase: string) => reporter.progress(() => ({ phase }));
  tell("too early");
  now += 10_000;
  tell("first");
  tell("while the first is under way");
  now += 9_999;
  tell("too early again");
  await reporter.write({ phase: "Running" });
  const phases = () => written.map(({ component }) => component.phase);
  expect(phases()).toEqual(["first", "Running"]);
  tell("too early once more");
  now += 1;
  codes = [404];
  tell("lost");
  await reporter.write({ phase: "Succeeded" });
  expect(phases()).toEqual(["first", "Running", "Succeeded"]);
});
