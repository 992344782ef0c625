import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { freePort } from "../../support/free-port.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { reasonOf, text } from "./objects-suite.ts";

describe.runIf(requireOrSkip("openssl"))("S3 behind a certificate of a private CA", () => {
  const home = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
  let server: Server;
  let port: number;
  let certificate: string;
  beforeAll(async () => {
    const [key, cert] = [join(home, "key.pem"), join(home, "cert.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", cert];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    execFileSync(
      pathOf("openssl"),
      ["req", "-x509", "-nodes", "-days", "2", ...curve, ...files, ...subject],
      {
        stdio: "ignore",
      },
    );
    certificate = readFileSync(cert, "utf8");
    server = createServer({ key: readFileSync(key), cert: certificate }, (_request, response) => {
      response.writeHead(200).end("over TLS");
    });
    port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(home, { recursive: true, force: true });
  });

  const open = (changes: { readonly caCertificate?: string; readonly insecureTLS?: boolean }) =>
    openObjects({
      provider: "s3",
      endpoint: `https://127.0.0.1:${port}`,
      bucket: "backups",
      prefix: "",
      region: "",
      insecureTLS: changes.insecureTLS ?? false,
      credentials: {
        accessKeyId: "key-of-the-test",
        secretAccessKey: "secret-of-the-test",
        ...(changes.caCertificate === undefined ? {} : { caCertificate: changes.caCertificate }),
      },
    });

  it("is refused as not trusted without it", async () => {
    expect(await reasonOf(open({}).get("a"))).toBe("stall CertificateNotTrusted");
  });

  it("is trusted with the CA of the storage Secret", async () => {
    expect(text(await open({ caCertificate: certificate }).get("a"))).toBe("over TLS");
  });

  it("is not asked for its certificate when the storage says insecureTLS", async () => {
    expect(text(await open({ insecureTLS: true }).get("a"))).toBe("over TLS");
  });
});
