import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { pathOf } from "./real-parts.ts";
import { startReaper } from "./reaper.ts";

/** A fault of toxiproxy, such as `latency` with `{ latency: 100 }`; `downstream` is what the client reads. */
export type Toxic = {
  readonly type: "latency" | "bandwidth" | "slicer" | "limit_data" | "reset_peer" | "timeout";
  readonly stream: "upstream" | "downstream";
  /** Share of the connections that it meets; all by default. */
  readonly toxicity?: number;
  readonly attributes: Readonly<Record<string, number>>;
};

/** A TCP proxy (toxiproxy) on 127.0.0.1 before one server, without any fault at first. */
export type Toxiproxy = {
  readonly url: string;
  add(...toxics: readonly Toxic[]): Promise<void>;
  /** Takes all faults away. */
  heal(): Promise<void>;
  stop(): Promise<void>;
};

export async function startToxiproxy(upstream: string): Promise<Toxiproxy> {
  const [control, port] = [await freePort(), await freePort()];
  const reaper = startReaper();
  const server = spawn(pathOf("toxiproxy-server"), ["-host", "127.0.0.1", "-port", String(control)], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: "ignore",
  });
  reaper.watchProcess(server);
  const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy answers ${response.status} to ${method} ${path}: ${text}`);
  };
  for (let attempt = 0; ; attempt += 1) {
    const ready = await ask("GET", "/version").then(
      () => true,
      () => false,
    );
    if (ready) break;
    if (server.exitCode !== null || attempt > 200) throw new Error("toxiproxy-server does not answer");
    await sleep(50);
  }
  const { host } = new URL(upstream);
  await ask("POST", "/proxies", { name: "server", listen: `127.0.0.1:${port}`, upstream: host });
  let count = 0;
  const names: string[] = [];
  return {
    url: `http://127.0.0.1:${port}`,
    async add(...toxics) {
      for (const { toxicity = 1, ...toxic } of toxics) {
        count += 1;
        names.push(`toxic-${count}`);
        await ask("POST", "/proxies/server/toxics", { name: `toxic-${count}`, toxicity, ...toxic });
      }
    },
    async heal() {
      for (const name of names.splice(0)) await ask("DELETE", `/proxies/server/toxics/${name}`);
    },
    stop: () => reaper.close(),
  };
}
