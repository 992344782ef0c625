import { createServer, request as forward, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";

/**
 * A forward proxy on a free loopback port: plain HTTP and CONNECT. `silent` takes requests and never answers;
 * `userinfo` (`user:password`) is asked for.
 */
export type HttpProxy = { readonly url: string; readonly seen: readonly string[]; close(): Promise<void> };

export async function startHttpProxy(
  options: { readonly silent?: boolean; readonly userinfo?: string } = {},
): Promise<HttpProxy> {
  const seen: string[] = [];
  const { userinfo } = options;
  const mayPass = ({ headers }: IncomingMessage) =>
    userinfo === undefined ||
    headers["proxy-authorization"] === `Basic ${Buffer.from(userinfo).toString("base64")}`;
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (options.silent) return;
    if (!mayPass(request)) {
      response.writeHead(407, { "proxy-authenticate": "Basic" }).end();
      return;
    }
    const { method, headers } = request;
    const onward = forward(request.url ?? "", { method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("connect", (request, client) => {
    seen.push(`CONNECT ${request.url}`);
    client.on("error", () => undefined);
    if (options.silent) return;
    if (!mayPass(request)) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    seen,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
