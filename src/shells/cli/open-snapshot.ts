import { resourceOf } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/meta.ts";
import { HoldfastError, toHoldfastError } from "../../base/errors.ts";
import {
  openRepository,
  type RepositoryAccess,
  resticRepositoryOf,
  type SecretRef,
} from "../../mover/repository-access.ts";
import { type SavedPath, savedComponent } from "../../mover/restore-source.ts";
import type { ResticRepository } from "../../ports/restic/restic.ts";
import { fieldOf } from "../field-of.ts";
import { backendFolder } from "./backend-folder.ts";
import { objectName } from "./object-name.ts";
import type { ReaderContext } from "./reader-context.ts";
import { usage } from "./usage.ts";

/** Of one name, on every file system that matters. */
const maxNameBytes = 255;

/** Files and bytes of one restic snapshot, as they were counted after the backup. */
export type Proven = { readonly files: number; readonly bytes: number };

export type OpenComponent = {
  readonly name: string;
  /** Whether it is a dump of manifests. */
  readonly manifests: boolean;
  readonly repository: ResticRepository;
  readonly paths: readonly (SavedPath & { readonly proof: Proven | undefined })[];
};

export type OpenSnapshot = {
  /** `Snapshot namespace/name`. */
  readonly shown: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined, or what is missing of the source. */
  readonly partial: string | undefined;
  readonly components: readonly OpenComponent[];
  /** Components that hold nothing that restic could read back. */
  readonly closed: readonly { readonly name: string; readonly error: HoldfastError }[];
};

/**
 * A Snapshot with what opens its data: `text` is NAME or NAMESPACE/NAME, `only` names one component. Secrets are
 * read through the API and stay in memory.
 */
export async function openSnapshot(
  context: ReaderContext,
  text: string,
  given: {
    readonly namespace: string | undefined;
    readonly only: string | undefined;
    /** Encryption Secret in place of the Repository's. */
    readonly secret?: SecretRef | undefined;
  },
): Promise<OpenSnapshot> {
  const { namespace, name } = objectName(text, {
    kind: "Snapshot",
    namespace: given.namespace ?? context.namespace,
  });
  const snapshot = await context.kube.get(resourceOf("Snapshot"), { namespace, name }, context.signal);
  const shown = `Snapshot ${namespace}/${name}`;
  if (snapshot === undefined)
    throw usage(
      `${shown} does not exist`,
      "see holdfast snapshots for what there is; write NAMESPACE/NAME or use -n",
    );
  const names = componentNames(snapshot, shown, given.only);
  const access = await openAccess(context, snapshot, shown, given.secret);
  const components: OpenComponent[] = [];
  const closed: { name: string; error: HoldfastError }[] = [];
  for (const component of names) {
    try {
      components.push(openComponent(context, { access, snapshot, shown }, component));
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      if (error.disposition === "bug") throw thrown;
      closed.push({ name: component, error });
    }
  }
  return { shown, namespace, name, partial: partialOf(snapshot), components, closed };
}

function componentNames(snapshot: KubeObject, shown: string, only: string | undefined): readonly string[] {
  const names = Object.keys(fieldOf(snapshot, "status", "components") ?? {}).sort();
  if (names.length === 0)
    throw usage(`${shown} holds no component`, "choose one that ended: holdfast snapshots shows them");
  if (only === undefined) return names;
  if (names.includes(only)) return [only];
  throw usage(`${shown} has no component ${only}`, `it has ${names.join(", ")}`);
}

async function openAccess(
  context: ReaderContext,
  snapshot: KubeObject,
  shown: string,
  secret: SecretRef | undefined,
): Promise<RepositoryAccess> {
  const name = String(fieldOf(snapshot, "spec", "repository") ?? "");
  const { namespace = "" } = snapshot.metadata;
  const access = await openRepository(context, { namespace, name }, shown, secret);
  if (access.backend.location.provider !== "local") return access;
  const directory = await backendFolder(context, access.storage);
  return { ...access, backend: { ...access.backend, location: { provider: "local", directory } } };
}

function openComponent(
  context: ReaderContext,
  from: { readonly access: RepositoryAccess; readonly snapshot: KubeObject; readonly shown: string },
  name: string,
): OpenComponent {
  refuseWays(name, from.shown);
  const saved = savedComponent(from.snapshot, name, from.shown);
  const proof = fieldOf(from.snapshot, "status", "components", name, "proof");
  const proofs = fieldOf(proof, "snapshots");
  const proven = (id: string): Proven | undefined => {
    const found = Array.isArray(proofs) ? proofs.find((one) => one.id === id) : undefined;
    return found === undefined ? undefined : { files: Number(found.files), bytes: Number(found.bytes) };
  };
  return {
    name,
    manifests: fieldOf(proof, "objects") !== undefined,
    repository: resticRepositoryOf(from.access, saved.path, context.resticCache),
    paths: saved.paths.map((path) => ({ ...path, proof: proven(path.id) })),
  };
}

/** Whoever may write the Snapshot chooses the name, and it becomes a folder here: it must lead nowhere else. */
function refuseWays(name: string, shown: string): void {
  const plain = /^[^/\\\p{Cc}]+$/u.test(name) && name !== "." && name !== "..";
  if (plain && Buffer.byteLength(name) <= maxNameBytes) return;
  throw new HoldfastError(
    "ComponentNameInvalid",
    `${shown} has a component ${JSON.stringify(name)}, which is no plain name of a folder`,
    {
      disposition: "stall",
      next: "Holdfast writes no such name: see who wrote the Snapshot's status; --component reads one of the others",
    },
  );
}

function partialOf(snapshot: KubeObject): string | undefined {
  const conditions = fieldOf(snapshot, "status", "conditions");
  const found = (Array.isArray(conditions) ? conditions : []).find(
    (one) => one.type === "Partial" && one.status === "True",
  );
  return found === undefined ? undefined : String(found.message ?? found.reason);
}
