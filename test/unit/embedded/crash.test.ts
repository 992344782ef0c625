import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { ask, embedded, maps, temporaryDirectory } from "./embedded-fixture.ts";

/** Writes ConfigMaps for ever and prints the name and uid of each that was acknowledged. */
const writer = `
import { startEmbedded } from ${JSON.stringify(new URL("../../../src/embedded/server.ts", import.meta.url).href)};
const server = await startEmbedded({ directory: process.argv[1] });
for (let i = 0; ; i++) {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" + i }, data: { text: "x".repeat(500) } };
  const answer = await server.api.request({ method: "POST", path: ${JSON.stringify(maps())}, body });
  console.log(answer.body.metadata.name + " " + answer.body.metadata.uid + " " + answer.body.metadata.resourceVersion);
}`;

describe("a server that is killed", () => {
  it("has everything that it acknowledged, the same uids and later revisions when it is started again", async () => {
    const directory = await temporaryDirectory();
    const child = spawn(process.execPath, ["--input-type=module", "-e", writer, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const acknowledged: string[] = [];
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      acknowledged.push(line);
      if (acknowledged.length === 300) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    const token = readFileSync(join(directory, "admin-token"), "utf8").trim();

    const { api, token: after } = await embedded({ directory });
    expect(after).toBe(token);
    let revision = 0;
    for (const line of acknowledged) {
      const [name = "", uid, version] = line.split(" ");
      const { body } = await ask(api, "GET", maps(name));
      expect(body.metadata).toMatchObject({ uid, resourceVersion: version });
      revision = Math.max(revision, Number(version));
    }
    const next = await ask(api, "POST", maps(), {
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "next" } },
    });
    expect(Number(next.body.metadata.resourceVersion)).toBeGreaterThan(revision);
  });

  it("keeps the uid of kube-system over restarts", async () => {
    const directory = await temporaryDirectory();
    const first = await embedded({ directory });
    const before = await ask(first.api, "GET", "/api/v1/namespaces/kube-system");
    await first.close();
    const second = await embedded({ directory });
    const again = await ask(second.api, "GET", "/api/v1/namespaces/kube-system");
    expect(again.body.metadata.uid).toBe(before.body.metadata.uid);
    expect(again.body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion);
  });
});
