import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { configMaps, deployment, path } from "./fixtures.ts";
import { absentGroups, limits, refusedCommands } from "./limits.ts";
import { kubeServers } from "./servers.ts";

const onEmbedded = kubeServers("embedded server");

onEmbedded("what the embedded server does not do", (server) => {
  beforeAll(async () => {
    const { raw, namespace } = server();
    const spec = { containers: [{ name: "app", image: "example.com/app:1" }] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "pod" }, spec };
    await raw.request("POST", path.pods(namespace), { body: pod });
    await raw.request("PATCH", `${path.pods(namespace, "pod")}/status`, {
      contentType: "application/merge-patch+json",
      body: { status: { phase: "Running" } },
    });
    await raw.request("POST", path.deployments(namespace), { body: deployment(namespace, "app") });
  });

  it.each(limits)("refuses $what by name", async ({ method, place, request }) => {
    const { raw, namespace } = server();
    const { status, body } = await raw.request(method, place(namespace), request);
    expect(status).toBe(501);
    expect(body).toMatchObject({ kind: "Status", reason: "NotImplemented", code: 501 });
    // What it is, and what to do instead.
    expect(body.message).toMatch(/^the embedded cluster does not do .+: .+/);
  });

  it.runIf(requireOrSkip("kubectl")).each(refusedCommands)(
    "lets kubectl %s say so",
    async (command, what) => {
      const { kubeconfigPath, namespace } = server();
      const args = ["--kubeconfig", kubeconfigPath, "--namespace", namespace, ...command.split(" ")];
      const text = await new Promise<string>((resolve) => {
        execFile(pathOf("kubectl"), args, { timeout: 20_000 }, (error, _, err) => {
          resolve(`${error?.code} ${err}`);
        });
      });
      expect(text).toMatch(/^1 /);
      expect(text).toContain(`the embedded cluster does not do ${what}: `);
    },
  );

  it("refuses impersonation by name", async () => {
    const { kubeconfigPath, namespace } = server();
    const text = await readFile(kubeconfigPath, "utf8");
    const kubeconfigText = text.replace(/^( +)token:/m, "$1as: somebody\n$1token:");
    const kube = await connectKube({ kubeconfigText });
    onTestFinished(() => kube.close());
    await expect(kube.get(configMaps, { namespace, name: "x" })).rejects.toMatchObject({
      code: 501,
      reason: "NotImplemented",
      disposition: "stall",
    });
  });

  it("serves these API groups nowhere, so that nothing in them is accepted and ignored", async () => {
    const { raw, kube } = server();
    const { resources } = await kube.discover();
    for (const group of absentGroups) {
      expect(resources.filter((resource) => resource.group === group)).toEqual([]);
      expect((await raw.request("GET", `/apis/${group}/v1`)).status).toBe(404);
    }
  });

  it("keeps RBAC objects and does not enforce them", async () => {
    const { raw, namespace } = server();
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "nobody" } };
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    expect((await raw.request("POST", accounts, { body })).status).toBe(201);
    const request = { body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} } };
    const answer = await raw.request("POST", `${accounts}/nobody/token`, request);
    expect(answer.status).toBe(201);
    const { token } = answer.body.status;
    expect((await raw.request("GET", path.secrets(namespace), { token })).status).toBe(200);
  });
});
