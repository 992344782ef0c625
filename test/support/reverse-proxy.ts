import { createServer, type IncomingMessage, request as plain, type ServerResponse } from "node:http";
import { request as secure } from "node:https";
import type { Socket } from "node:net";

/** A request that is on its way to a server; whoever intercepts it decides what becomes of it. */
export type Exchange = {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly agent: string;
  readonly response: ServerResponse;
  /** Hands it on and the answer back. */
  pass(): void;
  /** Hands it on; resolves when the server has answered, of which the client hears nothing. */
  carryOut(): Promise<void>;
};

export type ReverseProxy = {
  readonly url: string;
  /** What was asked, in order: `PUT /bucket/key`. */
  readonly seen: string[];
  /** Undefined: everything passes. */
  intercept: ((exchange: Exchange) => void | Promise<void>) | undefined;
  /** Hears of what the server did, as in `seen`, before the client does. */
  answered: ((what: string) => void) | undefined;
  close(): Promise<void>;
};

type Pair = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** Stands in front of one HTTP or HTTPS server, on a free loopback port; headers go through as they are. */
export async function startReverseProxy(upstream: string, ca?: string): Promise<ReverseProxy> {
  const { protocol, hostname, port } = new URL(upstream);
  const send = protocol === "https:" ? secure : plain;
  const sockets = new Set<Socket>();
  const forward = (
    { request, response }: Pair,
    answered: (answer: IncomingMessage) => void,
    lost: () => void,
  ) => {
    const { method, headers, url: path } = request;
    const onward = send({ hostname, port, method, path, headers, agent: false, ...(ca && { ca }) }, answered);
    onward.on("error", lost);
    // A watch that nobody hears any more shall end.
    response.once("close", () => onward.destroy());
    request.pipe(onward);
  };
  const server = createServer((request, response) => {
    const exchange: Exchange = {
      method: request.method ?? "",
      path: request.url ?? "",
      agent: request.headers["user-agent"] ?? "",
      response,
      pass: () =>
        forward(
          { request, response },
          (answer) => {
            proxy.answered?.(`${exchange.method} ${exchange.path}`);
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
          },
          () => response.destroy(),
        ),
      carryOut: () =>
        new Promise((resolve) => {
          forward({ request, response }, (answer) => answer.resume().once("close", resolve), resolve);
        }),
    };
    proxy.seen.push(`${exchange.method} ${exchange.path}`);
    if (proxy.intercept === undefined) exchange.pass();
    else void proxy.intercept(exchange);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const proxy: ReverseProxy = {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    seen: [],
    intercept: undefined,
    answered: undefined,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
