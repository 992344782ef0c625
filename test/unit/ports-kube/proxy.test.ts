import { expect, it } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { proxyOf } from "../../../src/ports/kube/dispatcher.ts";
import { configMaps, kubeconfig, named } from "./scripted-server.ts";

const server = new URL("https://api.kube.example.com:6443");

it.each([
  [{ HTTPS_PROXY: "http://p:1" }, "http://p:1"],
  [{ https_proxy: "p:1", HTTPS_PROXY: "http://q:1" }, "http://p:1"],
  [{ HTTP_PROXY: "http://p:1" }, undefined],
  [{ HTTPS_PROXY: "" }, undefined],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "example.com" }, undefined],
  [{ HTTPS_PROXY: "http://p:1", no_proxy: "a.com, .kube.example.com" }, undefined],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "api.kube.example.com:6443" }, undefined],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "api.kube.example.com:443" }, "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "e.example.com,ple.com" }, "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "*" }, undefined],
])("reads the proxy variables as Go's programs do: %o", (env, expected) => {
  expect(proxyOf(server, env)).toBe(expected);
});

it("never asks a proxy for this machine", () => {
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    expect(proxyOf(new URL(`https://${host}:6443`), { HTTPS_PROXY: "http://p:1" })).toBeUndefined();
  }
});

it("refuses a kind of proxy that it does not speak, by name", async () => {
  const config = JSON.parse(kubeconfig("https://far.example.com"));
  config.clusters[0].cluster["proxy-url"] = "socks5://127.0.0.1:1080";
  const kube = await connectKube({ kubeconfigText: JSON.stringify(config), env: {} });
  await expect(kube.get(configMaps, named)).rejects.toMatchObject({
    reason: "KubeconfigInvalid",
    next: "Use an HTTP proxy.",
  });
});
