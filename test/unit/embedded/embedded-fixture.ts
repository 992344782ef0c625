import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Api, ApiEvent, ApiRequest } from "../../../src/embedded/api.ts";
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";

/** A folder that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-embedded-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A server that ends with the test. */
export async function embedded(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedServer> {
  const directory = options.directory ?? (await temporaryDirectory());
  const server = await startEmbedded({ ...options, directory });
  onTestFinished(() => server.close());
  return server;
}

/** Bodies of answers are read field by field in tests, where a wrong field is a failed test. */
export type Body = ReturnType<typeof JSON.parse>;

export async function ask(
  api: Api,
  method: ApiRequest["method"],
  path: string,
  rest: Omit<ApiRequest, "method" | "path"> = {},
): Promise<{ readonly status: number; readonly body: Body }> {
  return api.request({ method, path, ...rest });
}

export const maps = (name = "") => `/api/v1/namespaces/default/configmaps${name === "" ? "" : `/${name}`}`;

export function map(name: string, data: Record<string, string> = {}, metadata: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

/** Waits for the microtasks and immediates in which the server keeps house. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The first events of a watch. */
export async function firstEvents(
  api: Api,
  path: string,
  query: Record<string, string>,
  count: number,
): Promise<readonly ApiEvent[]> {
  const stop = new AbortController();
  const out: ApiEvent[] = [];
  for await (const event of api.watch(path, query, stop.signal)) {
    out.push(event);
    if (out.length >= count) break;
  }
  stop.abort();
  return out;
}
