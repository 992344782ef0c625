import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { Store } from "../../../src/embedded/store/store.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import type { KubeError } from "../../../src/ports/kube/kube-error.ts";
import { startKubeApiserver } from "../../support/kube-apiserver.ts";
import { rawKube } from "../../support/raw-kube.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { sharedKube } from "../../support/shared-kube.ts";
import { configMap, configMaps, path } from "./fixtures.ts";
import { installWidgets } from "./widgets.ts";

/** More writes than a watch can look back on. */
const manyWrites = 16_000;

type Started = {
  readonly access: { readonly url: string; readonly ca: string; readonly token: string };
  close(): Promise<void>;
};

/** A real server looks back to when a kind was first served. */
async function startReal(): Promise<Started> {
  return { access: await sharedKube({ controllers: true }), close: async () => {} };
}

async function startWorn(): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-expired-"));
  const store = new Store(directory);
  for (let n = 0; n < manyWrites; n++) store.write("/leftovers", "a/x", { metadata: { name: "x" } });
  store.close();
  const server = await startEmbedded({ directory });
  const { url, certificate, token } = server;
  const close = async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { access: { url, ca: certificate, token }, close };
}

describe.each([
  { name: "kube-apiserver", start: startReal, runs: requireOrSkip("kube-apiserver", "etcd") },
  { name: "embedded server", start: startWorn, runs: true },
])("a watch from too long ago ($name)", ({ start, runs }) => {
  it.runIf(runs)(
    "ends with one ERROR, 410 Expired, and a list leads back to a watch that goes on",
    async () => {
      const { access, close } = await start();
      onTestFinished(close);
      const raw = rawKube(access);
      onTestFinished(() => raw.close());
      const tag = `t${randomBytes(4).toString("hex")}`;
      const { place, widget, crdName } = await installWidgets({ raw, tag, namespace: "default" }, "expired");
      const widgets = place();
      const events = await raw.watch(widgets, { resourceVersion: "1", timeoutSeconds: "10" }, 2);
      expect(events).toEqual([
        {
          type: "ERROR",
          object: {
            kind: "Status",
            apiVersion: "v1",
            metadata: {},
            status: "Failure",
            reason: "Expired",
            message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/),
            code: 410,
          },
        },
      ]);
      const { body } = await raw.request("GET", widgets);
      await raw.request("POST", widgets, { body: widget("next") });
      const [next] = await raw.watch(widgets, { resourceVersion: body.metadata.resourceVersion }, 1);
      expect(next).toMatchObject({ type: "ADDED", object: { metadata: { name: "next" } } });
      await raw.request("DELETE", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crdName}`);
    },
  );
});

type Expiring = {
  readonly access: { readonly url: string; readonly ca: string; readonly token: string };
  readonly kubeconfigPath: string;
  /** The token once its first page is too long ago. */
  expire(token: string): Promise<string>;
  close(): Promise<void>;
};

async function startExpiringReal(): Promise<Expiring> {
  // Its cache would remember for some minutes what etcd has forgotten.
  const server = await startKubeApiserver({ flags: ["--watch-cache=false"] });
  const expire = async (token: string) => {
    await server.forgetHistory();
    return token;
  };
  return { access: server, kubeconfigPath: server.kubeconfigPath, expire, close: server.close };
}

async function startExpiringEmbedded(): Promise<Expiring> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-expired-"));
  const server = await startEmbedded({ directory });
  const { url, certificate, token, kubeconfigPath } = server;
  const close = async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  };
  // Five minutes make a token too old.
  const expire = async (text: string) => {
    const made = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Buffer.from(JSON.stringify({ ...made, at: made.at - 301_000 })).toString("base64url");
  };
  return { access: { url, ca: certificate, token }, kubeconfigPath, expire, close };
}

describe.each([
  { name: "kube-apiserver", start: startExpiringReal, runs: requireOrSkip("kube-apiserver", "etcd") },
  { name: "embedded server", start: startExpiringEmbedded, runs: true },
])("a list from too long ago ($name)", ({ start, runs }) => {
  it.runIf(runs)("ends with 410 Expired and a token of its own, which leads to the rest", async () => {
    const { access, kubeconfigPath, expire, close } = await start();
    onTestFinished(close);
    const raw = rawKube(access);
    onTestFinished(() => raw.close());
    const place = path.configMaps("default");
    const made = ["a", "b", "c", "d"];
    for (const name of made) {
      const body = configMap("default", name, {}, { labels: { suite: "expired" } });
      await raw.request("POST", place, { body });
    }
    const selector = { labelSelector: "suite=expired" };
    const first = await raw.request("GET", place, { query: { ...selector, limit: "2" } });
    // The newest moment of all is never forgotten.
    await raw.request("POST", place, { body: configMap("default", "later") });
    const token = await expire(first.body.metadata.continue);
    const kube = await connectKube({ kubeconfigPath });
    onTestFinished(() => kube.close());
    const rest = async (continueToken: string) => {
      const names: string[] = [];
      const options = { namespace: "default", ...selector, continueToken };
      for await (const page of kube.list(configMaps, options)) {
        for (const item of page.items) names.push(item.metadata.name);
      }
      return names;
    };
    const error = await rest(token).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 410, reason: "Expired", continueToken: expect.any(String) });
    await raw.request("DELETE", path.configMaps("default", "c"));
    expect(await rest((error as KubeError).continueToken ?? "")).toEqual(["d"]);
  });
});
