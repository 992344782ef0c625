import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import {
  configMaps,
  kubeconfig,
  named,
  scriptedServer,
  sendJson,
  sendStatus,
  settings,
} from "./scripted-server.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "holdfast-credentials-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A server that accepts one token, which the test may change, and a client with the given user. */
async function guarded(user: Record<string, unknown>, token = "first") {
  const accepted = { token };
  const { url, asked } = await scriptedServer((one, response) => {
    if (one.headers.authorization === `Bearer ${accepted.token}`) return sendJson(response, settings);
    return sendStatus(response, 401, "Unauthorized");
  });
  const path = join(dir, "kubeconfig");
  await writeFile(path, kubeconfig(url, user));
  const kube = await connectKube({ kubeconfigPath: path, clock: hurriedClock() });
  return { kube, accepted, asked };
}

const get = (kube: KubeConnection) => kube.get(configMaps, named);

describe("who asks", () => {
  it("sends a token, a name and password, or an impersonation", async () => {
    const sent = async (user: Record<string, unknown>) => {
      const { url, asked } = await scriptedServer((_, response) => sendJson(response, settings));
      const kube = await connectKube({ kubeconfigText: kubeconfig(url, user) });
      await get(kube);
      await kube.close();
      return asked[0]?.headers ?? {};
    };
    expect((await sent({ token: "abc" })).authorization).toBe("Bearer abc");
    const basic = Buffer.from("me:word").toString("base64");
    expect((await sent({ username: "me", password: "word" })).authorization).toBe(`Basic ${basic}`);
    const as = {
      token: "abc",
      as: "other",
      "as-groups": ["g1", "g2"],
      "as-user-extra": { scopes: ["view"] },
    };
    expect(await sent(as)).toMatchObject({
      "impersonate-user": "other",
      "impersonate-group": "g1, g2",
      "impersonate-extra-scopes": "view",
    });
    expect((await sent({})).authorization).toBeUndefined();
  });

  it("reads a token file again when the server refuses the token", async () => {
    await writeFile(join(dir, "token"), "first\n");
    const { kube, accepted, asked } = await guarded({ tokenFile: "token" });
    expect(await get(kube)).toEqual(settings);
    await writeFile(join(dir, "token"), "second\n");
    accepted.token = "second";
    expect(await get(kube)).toEqual(settings);
    expect(asked.map((one) => one.headers.authorization)).toEqual([
      "Bearer first",
      "Bearer first",
      "Bearer second",
    ]);
    accepted.token = "third";
    await expect(get(kube)).rejects.toMatchObject({
      code: 401,
      reason: "Unauthorized",
      disposition: "stall",
    });
    await kube.close();
  });

  it("says which file is missing, without its text", async () => {
    const { kube } = await guarded({ tokenFile: "nothing" });
    await expect(get(kube)).rejects.toMatchObject({ reason: "CredentialsMissing", disposition: "stall" });
    await kube.close();
  });
});

describe("credential plugins", () => {
  const plugin = async (text: string) => {
    await writeFile(join(dir, "plugin"), `#!/bin/sh\n${text}\n`);
    await chmod(join(dir, "plugin"), 0o755);
    return { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin", args: ["one"] };
  };
  const credential = (token: string) =>
    JSON.stringify({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token },
    });

  it("runs the program beside the kubeconfig, once, and again after a 401", async () => {
    const exec = await plugin(`echo x >> ${join(dir, "runs")}
case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) ;; *) exit 1;; esac
if [ "$(wc -l < ${join(dir, "runs")})" -eq 1 ]; then echo '${credential("first")}'; else echo '${credential("second")}'; fi`);
    const { kube, accepted, asked } = await guarded({ exec });
    await get(kube);
    await get(kube);
    accepted.token = "second";
    await get(kube);
    const sent = asked.map((one) => one.headers.authorization?.slice("Bearer ".length));
    expect(sent).toEqual(["first", "first", "first", "second"]);
    await kube.close();
  });

  it("says that it failed, without what it printed", async () => {
    const exec = await plugin("echo hunter2; echo hunter2 >&2; exit 3");
    const { kube } = await guarded({ exec });
    const error = await get(kube).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "CredentialPluginFailed", disposition: "stall" });
    expect(JSON.stringify([String(error), error])).not.toContain("hunter2");
    const absent = await guarded({ exec: { ...exec, command: "./absent" } });
    await expect(get(absent.kube)).rejects.toMatchObject({
      message: expect.stringContaining("does not exist"),
    });
    await kube.close();
    await absent.kube.close();
  });
});
