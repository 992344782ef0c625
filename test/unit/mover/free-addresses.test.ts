import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { letGo } from "../../../src/mover/manifests/free-addresses.ts";
import { KubeError } from "../../../src/ports/kube/kube-error.ts";

const service = (spec: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop" },
  spec,
});
const refusal = (fields: readonly string[], message = "refused") =>
  new KubeError("Invalid", message, { code: 422, details: { causes: fields.map((field) => ({ field })) } });
const ports = [
  { port: 80, nodePort: 30080 },
  { port: 81, nodePort: 30081 },
];

it("lets go of the refused address alone", () => {
  const full = service({ clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports });
  expect(letGo(full, refusal(["spec.clusterIPs"]))).toEqual({
    object: service({ ports }),
    note: "new cluster IP instead of 10.0.0.1",
  });
  expect(letGo(full, refusal(["spec.ports[1].nodePort"]))).toEqual({
    object: service({ clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [ports[0], { port: 81 }] }),
    note: "new node port instead of 30081",
  });
});

it("lets go of a port for health checks, of which the server says no field", () => {
  const checked = service({ healthCheckNodePort: 31000, ports });
  const said = refusal([], "failed to allocate requested HealthCheck NodePort 31000: already allocated");
  expect(letGo(checked, said)?.object).toEqual(service({ ports }));
});

it("keeps that a Service is headless, also with families that this cluster has not", () => {
  const headless = service({ clusterIP: "None", clusterIPs: ["None"], ipFamilies: ["IPv6"], ports });
  expect(letGo(headless, refusal(["spec.clusterIPs"]))).toBeUndefined();
  expect(letGo(headless, refusal(["spec.ipFamilies[0]"]))?.object).toEqual(
    service({ clusterIP: "None", clusterIPs: ["None"], ports }),
  );
});

it("lets go of nothing for any other refusal, or on any other kind", () => {
  const full = service({ clusterIP: "10.0.0.1", ports });
  expect(letGo(full, refusal(["spec.ports[0].port"]))).toBeUndefined();
  expect(letGo({ ...full, kind: "Other" }, refusal(["spec.clusterIPs"]))).toBeUndefined();
});
