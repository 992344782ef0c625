import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { Store } from "../../../src/embedded/store/store.ts";
import { rawKube } from "../../support/raw-kube.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { sharedKube } from "../../support/shared-kube.ts";
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
      const path = place();
      const events = await raw.watch(path, { resourceVersion: "1", timeoutSeconds: "10" }, 2);
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
      const { body } = await raw.request("GET", path);
      await raw.request("POST", path, { body: widget("next") });
      const [next] = await raw.watch(path, { resourceVersion: body.metadata.resourceVersion }, 1);
      expect(next).toMatchObject({ type: "ADDED", object: { metadata: { name: "next" } } });
      await raw.request("DELETE", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crdName}`);
    },
  );
});
