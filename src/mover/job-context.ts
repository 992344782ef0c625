import type { Clock } from "../base/clock.ts";
import type { Kube } from "../ports/kube/kube.ts";
import type { Objects, ObjectsLocation } from "../ports/objects/objects.ts";
import type { Restic } from "../ports/restic/restic.ts";
import type { SecretKeeper } from "./secret-keeper.ts";

/** The outside world of a Job. */
export type JobPorts = {
  readonly kube: Kube;
  readonly restic: Restic;
  readonly openObjects: (location: ObjectsLocation) => Objects | Promise<Objects>;
  readonly clock: Clock;
  /** Directory that stands for `/` of the pod; "" in a real one. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of Holdfast; written into metadata.yaml. */
  readonly version: string;
  /** One line for people; secrets are taken out before it is called. */
  readonly log: (line: string) => void;
  /** Aborted when the pod is told to end. */
  readonly signal: AbortSignal;
};

/** The manager of every field that a Job writes. */
export const moverManager = "holdfast-mover";

export type JobContext = JobPorts & { readonly secrets: SecretKeeper };

/** What a job did, in one sentence, and the exit code that says so. */
export type JobOutcome = { readonly exitCode: number; readonly message: string };
