import { expect, it } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { requestRateOf } from "../../../src/ports/kube/request-rate.ts";
import { kubeconfig } from "./scripted-server.ts";

it.each([
  [{}, 50, 100],
  [{ HOLDFAST_KUBE_QPS: "", HOLDFAST_KUBE_BURST: "" }, 50, 100],
  [{ HOLDFAST_KUBE_QPS: "20" }, 20, 40],
  [{ HOLDFAST_KUBE_QPS: "0.2" }, 0.2, 1],
  [{ HOLDFAST_KUBE_BURST: "7" }, 50, 7],
  [{ HOLDFAST_KUBE_QPS: "5.5", HOLDFAST_KUBE_BURST: "6" }, 5.5, 6],
])("the environment %o lets %d requests per second through, after %d at once", (env, qps, burst) => {
  expect(requestRateOf(env)).toEqual({ qps, burst });
});

it.each([
  ["HOLDFAST_KUBE_QPS", "fast"],
  ["HOLDFAST_KUBE_QPS", "0"],
  ["HOLDFAST_KUBE_QPS", "-1"],
  ["HOLDFAST_KUBE_QPS", "1e9"],
  ["HOLDFAST_KUBE_BURST", "2.5"],
  ["HOLDFAST_KUBE_BURST", "0"],
])("refuses %s=%s by name", async (name, value) => {
  const kubeconfigText = kubeconfig("http://127.0.0.1:1");
  await expect(connectKube({ kubeconfigText, env: { [name]: value } })).rejects.toMatchObject({
    reason: "RequestRateInvalid",
    disposition: "stall",
    message: expect.stringContaining(`${name} is "${value}"`),
    exitCode: 2,
  });
});
