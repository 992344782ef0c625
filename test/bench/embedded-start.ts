import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Agent, request } from "undici";
import { startEmbedded } from "../../src/embedded/server.ts";
import { type Bench, type Figure, figure, inPairs, median, rounded } from "./bench.ts";
import { runWorker } from "./timed-process.ts";

const requests = 3_000;
const atOnce = 16;

export const embeddedStart: Bench = {
  name: "embedded-start",
  about: "the embedded API server: its start, and requests per second, against a bare HTTPS server",
  async run({ home, built }) {
    const start = await inPairs(
      7,
      () => runWorker(built.worker("embedded"), { directory: join(home, "start") }),
      () => runWorker(built.worker("bare-https"), { directory: join(home, "start") }),
    );
    const walls = { ours: start.ours.map((one) => one.wallMs), floor: start.floor.map((one) => one.wallMs) };
    const against = "a bare HTTPS server that answers the same bytes";
    return [
      figure("embedded-start", "ms", walls, { against: "a process with a bare HTTPS server" }),
      ...(await rates(home, against)),
    ];
  },
};

async function rates(home: string, against: string): Promise<readonly Figure[]> {
  const server = await startEmbedded({ directory: join(home, "rates") });
  const bare = await bareServer(join(home, "rates"));
  const agent = new Agent({ connections: atOnce, connect: { ca: server.certificate } });
  const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };
  const path = "/api/v1/namespaces/default/configmaps";
  let made = 0;
  const body = () =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `bench-${(made += 1)}` },
      data: { text: "x".repeat(500) },
    });
  const call = async (origin: string, method: "GET" | "POST") => {
    const url = `${origin}${path}${method === "GET" ? "/bench-1" : ""}`;
    const answer = await request(url, {
      method,
      headers,
      dispatcher: agent,
      ...(method === "POST" ? { body: body() } : {}),
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode}`);
  };
  try {
    const figures: Figure[] = [];
    for (const [name, method] of [
      ["create", "POST"],
      ["get", "GET"],
    ] as const) {
      const { ours, floor } = await inPairs(
        3,
        () => perSecond(() => call(server.url, method)),
        () => perSecond(() => call(bare.url, method)),
      );
      const [rate, best] = [median(ours), median(floor)];
      figures.push({
        name: `embedded ${name}`,
        median: rounded(rate),
        unit: "per s",
        floor: rounded(best),
        ratio: rounded(best / rate),
        against,
      });
    }
    return figures;
  } finally {
    await agent.close();
    await bare.close();
    await server.close();
  }
}

async function perSecond(call: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  let left = requests;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return (requests * 1000) / (performance.now() - startedMs);
}

/** Answers every request with a ConfigMap's worth of bytes, under the embedded server's own certificate. */
async function bareServer(directory: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const reply = JSON.stringify({ kind: "ConfigMap", data: { text: "x".repeat(900) } });
  const pem = readFileSync(join(directory, "tls.pem"));
  const server = createServer({ key: pem, cert: pem }, (incoming, response) => {
    incoming.resume().once("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
