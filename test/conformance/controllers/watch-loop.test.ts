import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Api, ApiEvent } from "../../../src/embedded/api.ts";
import { type Client, createClient } from "../../../src/embedded/controllers/client.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { watchLoop } from "../../../src/embedded/controllers/watch-loop.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import { eventually } from "../../support/eventually.ts";

let directory: string;
let server: EmbeddedServer;
let client: Client;

const namespace = "default";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-watch-"));
  server = await startEmbedded({ directory });
  client = createClient(server.api);
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function put(name: string): Promise<KubeObject> {
  const metadata = { name, namespace };
  return client.create(resources.configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata });
}

/** What a watch does to those who rely on it: every call another misfortune. */
type Misfortune = "ends" | "throws" | "expired" | "garbage" | "none";

function unluckyApi(api: Api, misfortunes: Misfortune[]): Api {
  return {
    async request(request) {
      if (misfortunes[0] === "throws") {
        misfortunes.shift();
        throw new Error("connection reset");
      }
      return api.request(request);
    },
    async *watch(path, query, signal): AsyncGenerator<ApiEvent> {
      const next = misfortunes.shift() ?? "none";
      if (next === "throws") throw new Error("socket hang up");
      if (next === "expired") {
        const object = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
        yield { type: "ERROR", object };
      }
      if (next === "garbage") yield { type: "ADDED", object: "nonsense" };
      if (next !== "none") return;
      yield* api.watch(path, query, signal);
    },
  };
}

function follow(api: Api) {
  const stopping = new AbortController();
  const seen: string[] = [];
  const errors: string[] = [];
  const done = watchLoop({
    api,
    client: createClient(api),
    clock: systemClock,
    resource: resources.configMaps,
    signal: stopping.signal,
    onObject: (object) => seen.push(object.metadata.name),
    onListed: () => undefined,
    onError: (message) => errors.push(message),
  });
  const stop = async () => {
    stopping.abort();
    await done;
  };
  return { seen, errors, stop };
}

test("a watch that ends, breaks, expires or speaks nonsense is taken up again", async () => {
  const misfortunes: Misfortune[] = ["ends", "throws", "throws", "expired", "garbage"];
  const { seen, errors, stop } = follow(unluckyApi(server.api, misfortunes));
  await put("early");
  await eventually(async () => {
    expect(misfortunes).toEqual([]);
  }, 8_000);
  await put("late");
  await eventually(async () => {
    expect(seen).toContain("early");
    expect(seen).toContain("late");
  }, 5_000);
  expect(errors.length).toBeGreaterThanOrEqual(3);
  await stop();
});

test("what vanished while nobody watched is named again", async () => {
  await put("doomed");
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let calls = 0;
  const api: Api = {
    request: (request) => server.api.request(request),
    async *watch(path, query, signal): AsyncGenerator<ApiEvent> {
      calls += 1;
      if (calls === 1) {
        await gate;
        throw new Error("the line was dead all the time");
      }
      yield* server.api.watch(path, query, signal);
    },
  };
  const { seen, stop } = follow(api);
  await eventually(async () => {
    expect(seen).toEqual(["doomed"]);
  }, 5_000);
  await client.delete(resources.configMaps, { namespace, name: "doomed" });
  release();
  await eventually(async () => {
    expect(seen).toEqual(["doomed", "doomed"]);
  }, 5_000);
  await stop();
});
