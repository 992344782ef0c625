import type { JsonObject } from "../base/json.ts";
import type { Cluster } from "./cluster.ts";
import { cleanupFinalizer, definitionsResource, settleDefinition } from "./crd/definitions.ts";
import { Failure } from "./failure.ts";
import { type Kind, keyOf } from "./kinds.ts";
import { type Address, addressOf, Owners, removeAt } from "./owners.ts";
import type { StoreEvent } from "./store/store.ts";
import { textAt, textsAt, withAt } from "./value.ts";
import { protectedBy, releaseProtected } from "./volume-protection.ts";
import { create, keep, type WriteOptions } from "./write.ts";

/** Steps done in one go, before requests get their turn again. */
const stepsAtOnce = 200;
const fullDiskPauseMs = 1_000;

/**
 * What the API server does by itself after a write: owner references, ends of namespaces, custom resource
 * definitions, default service accounts. Work is queued inside writes and done right after them.
 */
export class Housekeeping {
  readonly #cluster: Cluster;
  readonly #owners: Owners;
  readonly #queue = new Map<string, () => void>();
  readonly #stop: () => void;
  #scheduled = false;
  #closed = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    for (const definition of cluster.store.list(definitionsResource)) {
      settleDefinition(cluster, textAt(definition, "metadata", "name"));
    }
    this.#owners = new Owners(cluster);
    this.#stop = cluster.store.listen((event) => this.#note(event));
    this.#begin();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#queue.clear();
  }

  /** Namespaces that every cluster has, and whatever a stop of the process left undone. */
  #begin(): void {
    const { store, kinds } = this.#cluster;
    const namespaces = kinds.find("", "v1", "namespaces");
    for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
      if (namespaces === undefined || store.get("/namespaces", keyOf("", name)) !== undefined) continue;
      create(this.#cluster, namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, ours());
    }
    for (const resource of store.resources) {
      for (const object of store.list(resource)) {
        const { key } = addressOf(resource, object);
        this.#look(resource, key, object);
        this.#enqueueOwned({ resource, key });
      }
    }
    this.#work();
  }

  #note(event: StoreEvent): void {
    for (const address of this.#owners.note(event)) this.#enqueueOwned(address);
    this.#look(event.resource, event.key, event.object);
    if (event.type !== "DELETED") return;
    const namespace = event.key.slice(0, event.key.indexOf("/"));
    if (namespace !== "") this.#enqueueNamespace(namespace);
    const definition = this.#cluster.kinds.stored(event.resource)?.custom?.definition;
    if (definition !== undefined) this.#enqueueDefinition(textAt(definition, "metadata", "name"));
  }

  #look(resource: string, key: string, object: JsonObject): void {
    for (const address of protectedBy(resource, key, object)) {
      const { resource: of, key: at } = address;
      this.#enqueue(`protected ${of} ${at}`, () => releaseProtected(this.#cluster, address));
    }
    const name = key.slice(key.indexOf("/") + 1);
    if (resource === "/namespaces") this.#enqueueNamespace(name);
    else if (resource === definitionsResource) this.#enqueueDefinition(name);
    else if (resource === "/serviceaccounts" && name === "default") {
      this.#enqueueNamespace(textAt(object, "metadata", "namespace"));
    }
  }

  #enqueueOwned(address: Address): void {
    this.#enqueue(`owned ${address.resource} ${address.key}`, () => this.#owners.settle(address));
  }

  #enqueueNamespace(name: string): void {
    this.#enqueue(`namespace ${name}`, () => this.#settleNamespace(name));
  }

  #enqueueDefinition(name: string): void {
    this.#enqueue(`definition ${name}`, () => {
      settleDefinition(this.#cluster, name);
      this.#endDefinition(name);
    });
  }

  #enqueue(id: string, step: () => void): void {
    if (this.#closed) return;
    this.#queue.set(id, step);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#work());
  }

  #work(): void {
    for (let steps = 0; steps < stepsAtOnce; steps++) {
      const [next] = this.#queue;
      if (next === undefined) {
        this.#scheduled = false;
        return;
      }
      this.#queue.delete(next[0]);
      try {
        next[1]();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        // Refused, e.g. gone meanwhile: the write that changed it queues the next look. A full disk has to wait.
        if (error.code === 507) {
          this.#queue.set(next[0], next[1]);
          setTimeout(() => this.#work(), fullDiskPauseMs).unref();
          return;
        }
      }
    }
    this.#scheduled = true;
    setImmediate(() => this.#work());
  }

  #settleNamespace(name: string): void {
    const { store } = this.#cluster;
    const namespace = store.get("/namespaces", keyOf("", name));
    if (namespace === undefined) return;
    if (textAt(namespace, "metadata", "deletionTimestamp") === "") {
      this.#ensureAccount(name);
      return;
    }
    if (this.#emptied(this.#contents(name))) {
      const rest = textsAt(namespace, "spec", "finalizers").filter((finalizer) => finalizer !== "kubernetes");
      const spec = rest.length === 0 ? {} : { finalizers: rest };
      keep(this.#cluster, "/namespaces", keyOf("", name), withAt(namespace, ["spec"], spec));
    }
  }

  #contents(namespace: string): readonly Address[] {
    const { store } = this.#cluster;
    return store.resources.flatMap((resource) =>
      store.list(resource, namespace).map((object) => addressOf(resource, object)),
    );
  }

  /** Deletes all of these; true when nothing is left, not even something that waits for its finalizers. */
  #emptied(addresses: readonly Address[]): boolean {
    const { store } = this.#cluster;
    for (const address of addresses) {
      const object = store.get(address.resource, address.key);
      if (textAt(object, "metadata", "deletionTimestamp") !== "") continue;
      removeAt(this.#cluster, address, { propagation: "Background" });
    }
    return addresses.every((address) => store.get(address.resource, address.key) === undefined);
  }

  #endDefinition(name: string): void {
    const { store } = this.#cluster;
    const definition = store.get(definitionsResource, keyOf("", name));
    const finalizers = textsAt(definition, "metadata", "finalizers");
    if (definition === undefined || !finalizers.includes(cleanupFinalizer)) return;
    if (textAt(definition, "metadata", "deletionTimestamp") === "") return;
    const resource = `${textAt(definition, "spec", "group")}/${textAt(definition, "spec", "names", "plural")}`;
    if (!this.#emptied(store.list(resource).map((object) => addressOf(resource, object)))) return;
    const rest = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    const next = withAt(definition, ["metadata", "finalizers"], rest.length === 0 ? undefined : rest);
    keep(this.#cluster, definitionsResource, keyOf("", name), next);
  }

  #ensureAccount(namespace: string): void {
    const kind: Kind | undefined = this.#cluster.kinds.find("", "v1", "serviceaccounts");
    if (kind === undefined) return;
    if (this.#cluster.store.get("/serviceaccounts", keyOf(namespace, "default")) !== undefined) return;
    const metadata = { name: "default", namespace };
    create(this.#cluster, kind, { apiVersion: "v1", kind: "ServiceAccount", metadata }, ours());
  }
}

function ours(): WriteOptions {
  return {
    dryRun: false,
    manager: "holdfast-embedded",
    validation: "Ignore",
    subresource: "",
    patches: false,
    warnings: [],
  };
}
