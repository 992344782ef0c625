import { builtIn } from "../../api/built-in.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Kube } from "../../ports/kube/kube.ts";
import { isKubeError } from "../../ports/kube/kube-error.ts";
import { isMadeByRestore } from "./made-by-restore.ts";
import type { ObjectOutcome } from "./object-outcome.ts";
import type { ObjectWriter } from "./object-writer.ts";

/** Sees to it that a namespace is there before its first object. */
export type NamespaceKeeper = {
  /** A missing namespace is made without labels, unless its own manifest is awaited. */
  ensure(name: string): Promise<void>;
  /** Its own manifest failed and is tried again: made bare the namespace would never get its labels. */
  expect(name: string): void;
  /** It was created, or would be in a dry run. */
  arrived(name: string): void;
  /** Looks again from now on. */
  forget(): void;
};

type Source = {
  readonly kube: Kube;
  readonly writer: ObjectWriter;
  readonly onOutcome: (outcome: ObjectOutcome) => void;
  readonly signal: AbortSignal;
};

export function createNamespaceKeeper(source: Source): NamespaceKeeper {
  const ready = new Map<string, Promise<void>>();
  const awaited = new Set<string>();
  const arrived = new Set<string>();
  /** Asked for, with or without an answer, and not told yet. */
  const untold = new Set<string>();
  const tell = (name: string) => {
    untold.delete(name);
    arrived.add(name);
    const notes = ["made for its objects, without labels"];
    source.onOutcome({ type: "namespaces", name, did: "created", notes });
  };
  const make = async (name: string) => {
    const live = await source.kube.get(builtIn.Namespace, { name }, source.signal);
    if (live !== undefined) {
      if (untold.has(name) && isMadeByRestore(live)) tell(name);
      return;
    }
    if (awaited.has(name)) throw notThere(name);
    untold.add(name);
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await source.writer.create(builtIn.Namespace, object, "Strict");
    tell(name);
  };
  return {
    async ensure(name) {
      if (arrived.has(name)) return;
      const known = ready.get(name) ?? make(name).catch(passOver);
      ready.set(name, known);
      await known;
    },
    expect: (name) => void awaited.add(name),
    arrived: (name) => void arrived.add(name),
    forget: () => ready.clear(),
  };
}

/** Another one made it meanwhile, or this account may not: then the object's own create says so. */
function passOver(thrown: unknown): void {
  if (!isKubeError(thrown, 409) && !isKubeError(thrown, 403)) throw thrown;
}

function notThere(name: string): HoldfastError {
  return new HoldfastError("NamespaceAwaited", `its Namespace ${name} could not be restored`, {
    disposition: "retry",
    next: "Look at why the Namespace failed, or create it yourself.",
  });
}
