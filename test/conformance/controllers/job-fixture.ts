import { text } from "node:stream/consumers";
import type { KubeObject } from "../../../src/api/meta.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { isTrue } from "../../../src/embedded/controllers/status.ts";
import { eventually } from "../../support/eventually.ts";
import { image, type World } from "./servers.ts";

type Shape = {
  readonly spec?: Record<string, unknown>;
  readonly pod?: Record<string, unknown>;
  readonly container?: Record<string, unknown>;
};

export function job(
  world: World,
  name: string,
  args: readonly string[],
  shape: Shape = {},
): Promise<KubeObject> {
  return world.client.create(resources.jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: world.namespace },
    spec: {
      backoffLimit: 0,
      ...shape.spec,
      template: {
        spec: {
          restartPolicy: "Never",
          ...shape.pod,
          containers: [{ name: "main", image: `${image}:1`, args, ...shape.container }],
        },
      },
    },
  });
}

export async function read(world: World, name: string): Promise<KubeObject> {
  const found = await world.client.get(resources.jobs, { namespace: world.namespace, name });
  if (found === undefined) throw new Error(`there is no Job ${name}`);
  return found;
}

export async function until(world: World, name: string, condition: string): Promise<KubeObject> {
  return eventually(async () => {
    const found = await read(world, name);
    if (!isTrue(found, condition)) {
      throw new Error(
        `Job ${name} is not ${condition}: ${JSON.stringify(found["status"])} ${world.logs.join("; ")}`,
      );
    }
    return found;
  });
}

export async function podsOf(world: World, name: string): Promise<readonly KubeObject[]> {
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  return (await world.client.list(resources.pods, { namespace: world.namespace, labelSelector })).items;
}

export async function logOf(world: World, pod: KubeObject): Promise<string> {
  const query = { namespace: world.namespace, pod: pod.metadata.name, container: "main", follow: false };
  const stream = await world.controllers().podLog(query, new AbortController().signal);
  return stream === undefined ? "" : text(stream);
}
