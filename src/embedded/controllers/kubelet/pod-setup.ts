import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../api/meta.ts";
import type { JsonObject } from "../../../base/json.ts";
import { isObject, listAt, textAt } from "../../value.ts";
import { resources } from "../resources.ts";
import { type Environment, environmentOf } from "./environment.ts";
import type { Node } from "./node-options.ts";
import { NotReady } from "./not-ready.ts";
import { buildRoots, type PodDirectory } from "./pod-directory.ts";
import { containersOf, initContainersOf, isLocalImage, serviceAccountOf } from "./pod-spec.ts";
import { sourceOf, type VolumeReader, type VolumeSource } from "./volume-sources.ts";

/** Makes everything that the pod's containers need; answers their environments. Throws NotReady. */
export async function setUpPod(
  node: Node,
  pod: KubeObject,
  directory: PodDirectory,
): Promise<ReadonlyMap<string, Environment>> {
  const read = readerFor(node, pod);
  const containers = [...containersOf(pod), ...initContainersOf(pod)];
  await mkdir(directory.path, { recursive: true, mode: 0o700 });
  const environments = new Map<string, Environment>();
  for (const container of containers) {
    environments.set(
      textAt(container, "name"),
      await environmentFor(node, pod, container, { directory, read }),
    );
  }
  const sources = new Map<string, VolumeSource>();
  for (const volume of listAt(pod, "spec", "volumes").filter(isObject)) {
    sources.set(textAt(volume, "name"), await sourceOf(pod, volume, read));
  }
  await buildRoots(pod, directory, sources, environments);
  if (containers.some((container) => isLocalImage(textAt(container, "image"), node.images))) {
    await writeFile(directory.kubeconfig, await node.credentials(pod), { mode: 0o600 });
  }
  return environments;
}

async function environmentFor(
  node: Node,
  pod: KubeObject,
  container: JsonObject,
  given: { readonly directory: PodDirectory; readonly read: VolumeReader },
): Promise<Environment> {
  const root = given.directory.rootOf(textAt(container, "name"));
  const base = { ...node.environment, HOME: root, TMPDIR: join(root, "tmp"), HOSTNAME: pod.metadata.name };
  const own = await environmentOf(pod, container, given.read, base);
  // These two say where the pod's world is; a value of the pod's own would be a path of another world.
  return { ...own, HOLDFAST_ROOT: root, KUBECONFIG: given.directory.kubeconfig };
}

function readerFor(node: Node, pod: KubeObject): VolumeReader {
  const { namespace } = pod.metadata;
  return {
    secret: (name) => node.client.get(resources.secrets, { namespace, name }),
    configMap: (name) => node.client.get(resources.configMaps, { namespace, name }),
    claim: (name) => node.client.get(resources.claims, { namespace, name }),
    volume: (name) => node.client.get(resources.volumes, { name }),
    async token(audience, expirationSeconds) {
      const account = serviceAccountOf(pod);
      const boundObjectRef = {
        apiVersion: "v1",
        kind: "Pod",
        name: pod.metadata.name,
        uid: pod.metadata.uid,
      };
      const answer = await node.client.post(
        resources.serviceAccounts,
        { namespace, name: account },
        "token",
        {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: {
            audiences: audience === undefined ? [] : [audience],
            expirationSeconds,
            boundObjectRef,
          },
        },
      );
      const token = textAt(answer, "status", "token");
      if (token === "") throw new NotReady("volumes", `no token for the service account ${account}`);
      return token;
    },
  };
}
