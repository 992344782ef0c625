import { HoldfastError } from "../../../base/errors.ts";

/**
 * Why a pod cannot start yet:
 * - `scheduling`: a claim is missing or not bound; Kubernetes' scheduler would leave the pod unbound
 * - `volumes`: a volume cannot be set up
 * - `config`: an environment variable refers to something that is missing
 */
export type NotReadyStage = "scheduling" | "volumes" | "config";

/** Not a failure: the pod stays Pending with these words and is tried again. */
export class NotReady extends HoldfastError {
  readonly stage: NotReadyStage;

  constructor(stage: NotReadyStage, message: string, cause?: unknown) {
    super("PodNotReady", message, { disposition: "wait", cause });
    this.name = "NotReady";
    this.stage = stage;
  }
}
