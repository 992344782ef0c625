import { builtIn } from "../../api/built-in.ts";
import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { backendOf, storageSecretName } from "../../mover/storage/backend-location.ts";
import { initialiseRepository } from "../../mover/storage/initialise-repository.ts";
import { initialiseStorage } from "../../mover/storage/initialise-storage.ts";
import { secretValuesOf } from "../../mover/storage/secret-values.ts";
import { wipe, writeSnapshotFile } from "../../mover/storage/snapshot-file.ts";
import type { Objects } from "../../ports/objects/objects.ts";
import type { Step } from "../plan/step.ts";
import type { ActPorts } from "./act.ts";

type StoreStep = Extract<Step, { kind: "store" }>;

/** Writes to an object store in this process; answers what belongs into the marked object's status beside the mark. */
export async function store(
  ports: ActPorts,
  { storage, write }: StoreStep,
): Promise<Readonly<Record<string, unknown>>> {
  const objects = await open(ports, storage);
  const { kube, clock, signal } = ports;
  switch (write.do) {
    case "initialize": {
      const request = { kube, objects, storage, clock, operatorVersion: ports.version, signal };
      const { repositories } = await initialiseStorage(request);
      return { repositories };
    }
    case "repository":
      await initialiseRepository(kube, objects, write.repository, signal);
      return {};
    case "snapshot":
      await writeSnapshotFile(objects, write.repository, write.snapshot, clock.now());
      return {};
    case "wipe":
      await wipe(objects, write.directory);
      return {};
  }
}

async function open(ports: ActPorts, storage: KubeObject): Promise<Objects> {
  const name = storageSecretName(storage);
  if (name === undefined) return ports.openObjects(backendOf(storage, {}, "").location);
  const { namespace = "" } = storage.metadata;
  const secret = await ports.kube.get(builtIn.Secret, { namespace, name }, ports.signal);
  if (secret === undefined)
    throw new HoldfastError("BackendSecretNotAvailable", `Secret ${namespace}/${name} does not exist`, {
      disposition: "stall",
      next: "create it with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    });
  return ports.openObjects(backendOf(storage, secretValuesOf(secret), "").location);
}
