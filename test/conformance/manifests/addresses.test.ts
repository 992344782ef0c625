import { expect, it } from "vitest";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { write } from "../kube/fixtures.ts";
import { kubeServers } from "../kube/servers.ts";
import { restoring } from "./restoring.ts";

// The embedded server hands out addresses and refuses none.
const onRealServer = kubeServers("kube-apiserver");
const services: Resource = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};
const service = (namespace: string, name: string, spec: Record<string, unknown>): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { type: "NodePort", ports: [{ port: 80 }], ...spec },
});
type Spec = { readonly clusterIP: string; readonly ports: readonly { readonly nodePort: number }[] };

onRealServer("a Service whose addresses are not to be had", (server) => {
  it("lets go of the cluster IP alone, of node ports alone, or of both, and says so", async () => {
    const { kube, namespace } = server();
    const holder = await kube.create(services, service(namespace, "holder", {}), write);
    const { clusterIP, ports } = holder["spec"] as Spec;
    const free = await kube.create(services, service(namespace, "free", {}), write);
    const { clusterIP: freeIP, ports: freePorts } = free["spec"] as Spec;
    await kube.delete(services, { namespace, name: "free" });
    const taken = `new cluster IP instead of ${clusterIP}`;
    const takenPort = `new node port instead of ${ports[0]?.nodePort}`;
    const cases = [
      ["ip-taken", { clusterIP, ports: [{ port: 80, nodePort: freePorts[0]?.nodePort }] }, [taken]],
      ["port-taken", { clusterIP: freeIP, ports: [{ port: 80, nodePort: ports[0]?.nodePort }] }, [takenPort]],
      ["both", { clusterIP, ports: [{ port: 80, nodePort: ports[0]?.nodePort }] }, [taken, takenPort]],
      ["out-of-range", { clusterIP: "203.0.113.9" }, ["new cluster IP instead of 203.0.113.9"]],
      [
        "other-family",
        {
          clusterIP: "fd00::9",
          clusterIPs: ["fd00::9"],
          ipFamilies: ["IPv6"],
          ipFamilyPolicy: "SingleStack",
        },
        ["IP families of this cluster instead of IPv6"],
      ],
      ["headless", { type: "ClusterIP", clusterIP: "None" }, undefined],
    ] as const;
    for (const [name, spec, notes] of cases) {
      const outcomes = await restoring(kube, [[services, service(namespace, name, spec)]]);
      expect(outcomes[`services/${name}`]).toEqual({
        type: "services",
        namespace,
        name,
        did: "created",
        ...(notes === undefined ? {} : { notes }),
      });
    }
    const specOf = async (name: string) => {
      const live = await kube.get(services, { namespace, name });
      return live?.["spec"];
    };
    expect(await specOf("port-taken")).toMatchObject({ clusterIP: freeIP });
    expect(await specOf("ip-taken")).toMatchObject({ ports: [{ nodePort: freePorts[0]?.nodePort }] });
  });

  it("fails for anything else that is wrong with it", async () => {
    const { kube, namespace } = server();
    const wrong = service(namespace, "wrong", { clusterIP: "203.0.113.9", ports: [{ port: 0 }] });
    const outcomes = await restoring(kube, [[services, wrong]]);
    expect(outcomes["services/wrong"]).toMatchObject({
      did: "failed",
      reason: expect.stringContaining("spec.ports[0].port"),
    });
  });
});
