import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { kubeconfig } from "./scripted-server.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "holdfast-kubeconfig-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

const cluster = (name: string, server: string) => ({ name, cluster: { server } });
const context = (name: string, of: string) => ({ name, context: { cluster: of, namespace: `ns-${name}` } });

describe("which kubeconfig is read", () => {
  it("takes the given text, then the given path, then KUBECONFIG, then the home directory", async () => {
    const env = { HOME: dir, KUBECONFIG: await file("env", kubeconfig("https://env.example.com")) };
    await mkdir(join(dir, ".kube"));
    await writeFile(join(dir, ".kube", "config"), kubeconfig("https://home.example.com"));
    const kubeconfigText = kubeconfig("https://text.example.com/");
    const kubeconfigPath = await file("path", kubeconfig("https://path.example.com"));
    const text = await connectKube({ kubeconfigText, kubeconfigPath, env });
    expect(text).toMatchObject({ server: "https://text.example.com", namespace: "home" });
    expect((await connectKube({ kubeconfigPath, env })).server).toBe("https://path.example.com");
    expect((await connectKube({ env })).server).toBe("https://env.example.com");
    expect((await connectKube({ env: { HOME: dir } })).server).toBe("https://home.example.com");
  });

  it("takes the pod's service account when there is no kubeconfig", async () => {
    await file("ca.crt", "-----BEGIN CERTIFICATE-----");
    await file("token", "secret");
    await file("namespace", "pod-namespace\n");
    const env = {
      HOME: join(dir, "nobody"),
      KUBERNETES_SERVICE_HOST: "fd00::1",
      KUBERNETES_SERVICE_PORT: "443",
    };
    const kube = await connectKube({ env, serviceAccountDirectory: dir });
    expect(kube).toMatchObject({ server: "https://[fd00::1]:443", namespace: "pod-namespace" });
  });

  it("says what to do when there is nothing to read", async () => {
    const env = { HOME: dir };
    const options = { env, serviceAccountDirectory: dir };
    await expect(connectKube(options)).rejects.toMatchObject({
      reason: "ClusterUnknown",
      disposition: "stall",
    });
    const missing = { kubeconfigPath: join(dir, "missing"), env };
    await expect(connectKube(missing)).rejects.toMatchObject({
      reason: "KubeconfigInvalid",
      message: `kubeconfig ${join(dir, "missing")} does not exist`,
    });
  });

  it("merges the files of KUBECONFIG as kubectl does: the first that names a thing wins", async () => {
    const first = await file(
      "first",
      `
apiVersion: v1
kind: Config
current-context: b
clusters: [${JSON.stringify(cluster("one", "https://first.example.com"))}]
contexts: [${JSON.stringify(context("a", "one"))}]
`,
    );
    const second = await file(
      "second",
      JSON.stringify({
        "current-context": "a",
        clusters: [cluster("one", "https://loses.example.com"), cluster("two", "https://two.example.com")],
        contexts: [context("a", "two"), context("b", "two")],
      }),
    );
    const env = { KUBECONFIG: `${first}::${join(dir, "missing")}:${second}` };
    expect(await connectKube({ env })).toMatchObject({
      server: "https://two.example.com",
      namespace: "ns-b",
    });
    expect((await connectKube({ env, context: "a" })).server).toBe("https://first.example.com");
    await expect(connectKube({ env, context: "c" })).rejects.toMatchObject({
      reason: "KubeconfigInvalid",
      next: "Use one of: a, a, b.",
    });
  });
});

describe("what a kubeconfig may say", () => {
  it("never repeats its text in an error", async () => {
    for (const text of ["token: hunter2\n  broken: [", '{"token": "hunter2"', "- hunter2"]) {
      const error = await connectKube({ kubeconfigText: text }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ reason: "KubeconfigInvalid", disposition: "stall" });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("hunter2");
    }
  });

  it.each([
    ["no current-context", { "current-context": "" }],
    ["has no context x", { contexts: [] }],
    ["has no cluster c", { clusters: [] }],
    ["has no user u", { users: [] }],
    ["is no URL", { clusters: [{ name: "c", cluster: { server: "over there" } }] }],
    ["only one of client-certificate", { users: [{ name: "u", user: { "client-key-data": "a2V5" } }] }],
    [
      "certificate-authority of the kubeconfig cannot be read",
      { clusters: [{ name: "c", cluster: { server: "https://x", "certificate-authority": "/none" } }] },
    ],
  ])("is refused when it %s", async (message, change) => {
    const text = JSON.stringify({ ...JSON.parse(kubeconfig("https://x.example.com")), ...change });
    await expect(connectKube({ kubeconfigText: text })).rejects.toMatchObject({
      reason: "KubeconfigInvalid",
      message: expect.stringContaining(message),
    });
  });

  it("sends credentials in the clear to this machine only", async () => {
    const user = { token: "hunter2" };
    const far = { kubeconfigText: kubeconfig("http://far.example.com", user) };
    await expect(connectKube(far)).rejects.toMatchObject({
      message: expect.stringContaining("in the clear"),
    });
    const near = await connectKube({ kubeconfigText: kubeconfig("http://127.0.0.1:8001", user) });
    expect(near.server).toBe("http://127.0.0.1:8001");
    const anonymous = await connectKube({ kubeconfigText: kubeconfig("http://far.example.com") });
    expect(anonymous.server).toBe("http://far.example.com");
  });
});
