import { Buffer } from "node:buffer";
import { renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { HoldfastError, messageOf } from "../base/errors.ts";
import type { Api } from "./api.ts";
import { identityOf } from "./certificate.ts";
import type { Cluster, LogSource } from "./cluster.ts";
import { Housekeeping } from "./housekeeping.ts";
import { serve } from "./http.ts";
import { inProcessApi } from "./in-process.ts";
import { Kinds } from "./kinds.ts";
import { Store } from "./store/store.ts";
import { Tokens } from "./tokens.ts";

export type EmbeddedOptions = {
  /** Where the state is kept; made when it is not there. One server at a time. */
  readonly directory: string;
  /** 0 (the default): any free one. */
  readonly port?: number;
  readonly clock?: Clock;
  /** Hears of defects of the server itself and of its disk; standard error by default. */
  readonly log?: (message: string) => void;
};

export type EmbeddedServer = {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly api: Api;
  /** The administrator's kubeconfig, YAML. */
  readonly kubeconfig: string;
  /** The same as a file in the state folder, mode 0600. */
  readonly kubeconfigPath: string;
  readonly token: string;
  /** PEM; what clients have to trust. */
  readonly certificate: string;
  /** Tells where `pods/log` finds the text of containers. */
  serveLogs(source: LogSource): void;
  /** Ends watches and connections, brings the state to disk, releases the folder. */
  close(): Promise<void>;
};

/**
 * As a real API server: of a client that thinks for longer than a connection lives the next write finds it closed,
 * and a write is not sent twice.
 */
const idleMs = 90_000;

/**
 * A Kubernetes API server in this process: HTTPS on the loopback interface, state in a folder.
 * Throws `StateLocked`, `StateDamaged`, `PortTaken`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? ((message) => void process.stderr.write(`${message}\n`));
  const store = new Store(options.directory, (message) => log(`embedded: ${message}`));
  const closing = new AbortController();
  let logs: LogSource | undefined;
  try {
    const cluster: Cluster = {
      store,
      kinds: new Kinds(),
      clock,
      tokens: new Tokens(options.directory, clock),
      closing: closing.signal,
      logs: () => logs,
    };
    const housekeeping = new Housekeeping(cluster);
    const identity = identityOf(options.directory);
    const http = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
      void serve(cluster, request, response, (error) => log(`embedded: ${messageOf(error)}`));
    });
    http.keepAliveTimeout = idleMs;
    const url = await listening(http, options.port ?? 0);
    const kubeconfig = kubeconfigText(url, cluster.tokens.admin, identity.certificate);
    const kubeconfigPath = join(options.directory, "kubeconfig");
    writeFileSync(`${kubeconfigPath}.next`, kubeconfig, { mode: 0o600 });
    renameSync(`${kubeconfigPath}.next`, kubeconfigPath);
    return {
      url,
      api: inProcessApi(cluster),
      kubeconfig,
      kubeconfigPath,
      token: cluster.tokens.admin,
      certificate: identity.certificate,
      serveLogs: (source) => {
        logs = source;
      },
      close: async () => {
        if (closing.signal.aborted) return;
        closing.abort();
        await new Promise<void>((resolve) => {
          http.close(() => resolve());
          http.closeAllConnections();
        });
        housekeeping.close();
        store.close();
      },
    };
  } catch (error) {
    closing.abort();
    store.close();
    throw error;
  }
}

function listening(http: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once("error", (error) => {
      reject(
        new HoldfastError("PortTaken", `cannot listen on 127.0.0.1:${port}: ${error.message}`, {
          disposition: "stall",
          next: "choose another port, or 0 for any",
          cause: error,
        }),
      );
    });
    http.listen(port, "127.0.0.1", () => {
      const address = http.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      resolve(`https://127.0.0.1:${bound}`);
    });
  });
}

function kubeconfigText(url: string, token: string, certificate: string): string {
  return `apiVersion: v1
kind: Config
current-context: holdfast
clusters:
  - name: holdfast
    cluster:
      server: ${url}
      certificate-authority-data: ${Buffer.from(certificate).toString("base64")}
contexts:
  - name: holdfast
    context:
      cluster: holdfast
      user: admin
      namespace: default
users:
  - name: admin
    user:
      token: ${token}
`;
}
