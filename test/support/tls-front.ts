import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request as forward } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathOf } from "./real-parts.ts";
import { startReaper } from "./reaper.ts";

export type TlsFront = {
  readonly url: string;
  /** PEM of the authority that nobody else knows. */
  readonly authorityFile: string;
  close(): Promise<void>;
};

/** HTTPS on a free loopback port before an HTTP server, with a certificate of a private authority. */
export async function startTlsFront(
  target: string,
  options: { readonly name?: string } = {},
): Promise<TlsFront> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
  const reaper = startReaper();
  reaper.watchDirectory(home);
  const file = (name: string) => join(home, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync(pathOf("openssl"), args, { cwd: home, stdio: "ignore" });
  const curve = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  openssl(
    "req",
    "-x509",
    "-days",
    "2",
    ...curve,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=private",
  );
  openssl("req", ...curve, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=server");
  writeFileSync(file("extensions"), `subjectAltName=${options.name ?? "IP:127.0.0.1"}\n`);
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"];
  openssl("x509", "-req", "-days", "2", "-in", "request.pem", ...signed, "-out", "cert.pem");
  const server = createServer(
    { key: readFileSync(file("key.pem")), cert: readFileSync(file("cert.pem")) },
    (request, response) => {
      const { method, headers } = request;
      const onward = forward(`${target}${request.url}`, { method, headers }, (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    authorityFile: file("ca.pem"),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await reaper.close();
    },
  };
}
