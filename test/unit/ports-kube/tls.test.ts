import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { configMaps, named } from "./scripted-server.ts";
import { startTlsServer, startTunnel, type TlsServer } from "./tls-server.ts";

describe.runIf(requireOrSkip("openssl"))("TLS", () => {
  let server: TlsServer;
  const waits: number[] = [];
  const pem = (name: string) => readFile(join(server.dir, name));
  beforeAll(async () => {
    server = await startTlsServer();
  });
  afterAll(() => server.close());

  async function ask(cluster: Record<string, unknown>, user: Record<string, unknown> = {}) {
    const path = join(server.dir, "kubeconfig");
    const config = {
      clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${server.port}`, ...cluster } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(path, JSON.stringify(config));
    const kube = await connectKube({ kubeconfigPath: path, clock: hurriedClock(waits) });
    try {
      return (await kube.get(configMaps, named))?.["data"];
    } finally {
      await kube.close();
    }
  }

  const trusted = { "certificate-authority": "ca.crt" };

  it("trusts the authority of the kubeconfig, from a file or inline", async () => {
    expect(await ask(trusted)).toEqual({ client: "nobody" });
    const inline = { "certificate-authority-data": (await pem("ca.crt")).toString("base64") };
    expect(await ask(inline)).toEqual({ client: "nobody" });
  });

  it("trusts nobody else, and does not try again", async () => {
    waits.length = 0;
    await expect(ask({})).rejects.toMatchObject({ reason: "ApiServerNotTrusted", disposition: "stall" });
    expect(waits).toEqual([]);
    const other = { ...trusted, "tls-server-name": "other.example.com" };
    await expect(ask(other)).rejects.toMatchObject({ reason: "ApiServerNotTrusted" });
  });

  it("checks the name that tls-server-name gives", async () => {
    expect(await ask({ ...trusted, "tls-server-name": "kube.example.com" })).toEqual({ client: "nobody" });
  });

  it("skips the check only where the kubeconfig says so", async () => {
    expect(await ask({ "insecure-skip-tls-verify": true })).toEqual({ client: "nobody" });
  });

  it("proves itself with a client certificate", async () => {
    const files = { "client-certificate": "client.crt", "client-key": "client.key" };
    expect(await ask(trusted, files)).toEqual({ client: "someone" });
  });

  it("proves itself with a certificate that a plugin gives", async () => {
    const status = {
      clientCertificateData: (await pem("client.crt")).toString(),
      clientKeyData: (await pem("client.key")).toString(),
    };
    const answer = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status };
    await writeFile(join(server.dir, "credential.json"), JSON.stringify(answer));
    const args = [join(server.dir, "credential.json")];
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "cat", args };
    expect(await ask(trusted, { exec })).toEqual({ client: "someone" });
  });

  it("keeps its own TLS through the proxy that the kubeconfig names", async () => {
    const proxy = await startTunnel(server.port);
    const far = { server: "https://kube.example.com", "proxy-url": `http://127.0.0.1:${proxy.port}` };
    const files = { "client-certificate": "client.crt", "client-key": "client.key" };
    expect(await ask({ ...trusted, ...far }, files)).toEqual({ client: "someone" });
    expect(proxy.tunnels).toEqual(["kube.example.com:443"]);
    proxy.close();
  });
});
