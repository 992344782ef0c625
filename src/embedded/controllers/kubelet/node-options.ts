import type { KubeObject } from "../../../api/meta.ts";
import type { ControllerContext } from "../controller.ts";

/** What makes a node of this process. */
export type NodeOptions = {
  readonly nodeName: string;
  /** Pods, volumes and logs lie below it. */
  readonly stateDirectory: string;
  /** Repositories of the images whose containers run as local processes, without tag: `ghcr.io/holdfast-dev/holdfast`. */
  readonly images: readonly string[];
  /** What stands for the image's entrypoint: the container's `command` and `args` follow it. */
  readonly command: readonly string[];
  /** The kubeconfig that a pod's processes get: a token of the pod's service account. */
  readonly credentials: (pod: KubeObject) => Promise<string>;
  /** What every process gets beside its own variables; PATH at least. */
  readonly environment: Readonly<Record<string, string>>;
  /** Which pods without a node this kubelet binds to itself; all of them by default. */
  readonly accepts?: (pod: KubeObject) => boolean;
};

export type Node = ControllerContext & NodeOptions;
