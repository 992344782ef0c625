import { arch, availableParallelism, totalmem } from "node:os";
import { objectAt } from "../value.ts";
import { isCode } from "./client.ts";
import { type Controller, type ControllerContext, keyOfObject } from "./controller.ts";
import { timestamp } from "./event-recorder.ts";
import { resources } from "./resources.ts";
import { conditionsOf, withCondition, writeStatus } from "./status.ts";

const leaseSeconds = 40;
const heartbeatMs = 10_000;

/**
 * Keeps the Node object of this process: Ready, with the machine's capacity. With `heartbeat` it also renews
 * the node's Lease, which a real cluster's node controller watches.
 */
export function createNodeController(
  context: ControllerContext,
  options: { readonly nodeName: string; readonly heartbeat: boolean },
): Controller {
  const { client } = context;
  const key = `/${options.nodeName}`;
  return {
    name: "node",
    watches: [
      { resource: resources.nodes, keys: (node) => [keyOfObject(node)].filter((one) => one === key) },
    ],
    async start(poke) {
      await ensureNode(context, options.nodeName);
      poke(key);
    },
    async reconcile() {
      const node = await client.get(resources.nodes, { name: options.nodeName });
      if (node === undefined) await ensureNode(context, options.nodeName);
      else await writeStatus(client, resources.nodes, node, nodeStatus(context, node));
      if (!options.heartbeat) return undefined;
      await renewLease(context, options.nodeName);
      return heartbeatMs;
    },
  };
}

async function ensureNode(context: ControllerContext, name: string): Promise<void> {
  try {
    await context.client.create(resources.nodes, {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name,
        labels: {
          "kubernetes.io/hostname": name,
          // Whatever this machine is: manifests that ask for linux mean an ordinary node.
          "kubernetes.io/os": "linux",
          "kubernetes.io/arch": arch() === "x64" ? "amd64" : arch(),
        },
      },
      spec: {},
    });
  } catch (error) {
    if (!isCode(error, 409)) throw error;
  }
}

function nodeStatus(context: ControllerContext, node: unknown) {
  const capacity = {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: "1000",
  };
  const words = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "containers of our own image run as local processes",
  } as const;
  const conditions = withCondition(conditionsOf(node), words, context.clock.now());
  const { addresses, ...rest } = objectAt(node, "status");
  return {
    ...rest,
    addresses: addresses ?? [{ type: "InternalIP", address: "127.0.0.1" }],
    capacity,
    allocatable: capacity,
    conditions: [...conditions],
  };
}

async function renewLease(context: ControllerContext, name: string): Promise<void> {
  const target = { namespace: "kube-node-lease", name };
  const renewTime = timestamp(context.clock.now()).replace("Z", ".000000Z");
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: target, spec };
  try {
    await context.client.patch(resources.leases, target, { spec });
  } catch (error) {
    if (!isCode(error, 404)) throw error;
    await context.client.create(resources.leases, lease);
  }
}
