import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { pathOf } from "../../support/real-parts.ts";
import { settings } from "./scripted-server.ts";

const run = promisify(execFile);

export type TlsServer = {
  /** Holds `ca`, `server` and `client`, each as `.crt` and `.key`. */
  readonly dir: string;
  readonly port: number;
  close(): Promise<void>;
};

/** Answers every request with an object whose `data.client` is the common name of the client's certificate. */
export async function startTlsServer(): Promise<TlsServer> {
  const dir = await mkdtemp(join(tmpdir(), "holdfast-tls-"));
  await makeCertificates(dir);
  const pem = (name: string) => readFile(join(dir, name));
  const [ca, cert, key] = await Promise.all([pem("ca.crt"), pem("server.crt"), pem("server.key")]);
  const server = createServer(
    { ca, cert, key, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(JSON.stringify({ ...settings, data: { client: subject?.CN ?? "nobody" } }));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { dir, port, close };
}

async function makeCertificates(dir: string): Promise<void> {
  const openssl = (...args: string[]) => run(pathOf("openssl"), args, { cwd: dir });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const issue = async (name: string, subject: string, extension: string) => {
    await writeFile(join(dir, `${name}.ext`), extension);
    await openssl("req", "-new", ...key, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const ca = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    await openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...ca,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.crt`,
    );
  };
  await openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "2",
    "-subj",
    "/CN=ca",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
  );
  await issue("server", "/CN=server", "subjectAltName=DNS:kube.example.com,IP:127.0.0.1");
  await issue("client", "/O=system:masters/CN=someone", "extendedKeyUsage=clientAuth");
}

/** An HTTP proxy whose every tunnel ends at `targetPort` of this machine, whatever was asked for. */
export async function startTunnel(targetPort: number) {
  const tunnels: string[] = [];
  const proxy = createProxy();
  proxy.on("connect", (request, client) => {
    tunnels.push(request.url ?? "");
    const target = connect(targetPort, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    target.on("error", () => client.destroy());
    client.on("error", () => target.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = () => {
    proxy.closeAllConnections();
    proxy.close();
  };
  return { port, tunnels, close };
}
