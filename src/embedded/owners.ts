import { groupOf } from "../api/meta.ts";
import type { JsonObject } from "../base/json.ts";
import type { Cluster } from "./cluster.ts";
import { type DeleteOptions, remove } from "./delete.ts";
import type { StoreEvent } from "./store/store.ts";
import { at, isObject, listAt, textAt, textsAt, withAt } from "./value.ts";
import { keep } from "./write.ts";

/** Where an object is stored. */
export type Address = { readonly resource: string; readonly key: string };

const plainly: DeleteOptions = {
  propagation: undefined,
  graceSeconds: undefined,
  uid: "",
  resourceVersion: "",
  dryRun: false,
};

/** Deletes a stored object as a client would. */
export function removeAt(cluster: Cluster, address: Address, options: Partial<DeleteOptions> = {}): void {
  const kind = cluster.kinds.stored(address.resource);
  if (kind === undefined || cluster.store.get(address.resource, address.key) === undefined) return;
  const slash = address.key.indexOf("/");
  const place = { namespace: address.key.slice(0, slash), name: address.key.slice(slash + 1) };
  remove(cluster, kind, place, { ...plainly, ...options });
}

/**
 * Collects objects whose owners are gone, and carries out foreground and orphan deletion.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export class Owners {
  readonly #cluster: Cluster;
  readonly #addresses = new Map<string, Address>();
  readonly #dependents = new Map<string, Map<string, Address>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    for (const resource of cluster.store.resources) {
      for (const object of cluster.store.list(resource)) this.#index(addressOf(resource, object), object);
    }
  }

  /** Takes note of a write; answers which objects have to be looked at. */
  note(event: StoreEvent): readonly Address[] {
    const address = { resource: event.resource, key: event.key };
    const uid = textAt(event.object, "metadata", "uid");
    if (event.previous !== undefined) this.#forget(address, event.previous);
    if (event.type === "DELETED") {
      this.#addresses.delete(uid);
      const waiting = ownersOf(event.object).flatMap(
        (owner) => this.#addresses.get(textAt(owner, "uid")) ?? [],
      );
      return [...this.#dependentsOf(uid), ...waiting];
    }
    this.#index(address, event.object);
    const collects = textsAt(event.object, "metadata", "finalizers").some(
      (name) => name === "orphan" || name === "foregroundDeletion",
    );
    const owners = ownersOf(event.object);
    if (!collects && owners.length === 0) return [];
    return [address, ...owners.flatMap((owner) => this.#addresses.get(textAt(owner, "uid")) ?? [])];
  }

  /** Does what is due for one object. */
  settle(address: Address): void {
    const object = this.#cluster.store.get(address.resource, address.key);
    if (object === undefined) return;
    const finalizers = textsAt(object, "metadata", "finalizers");
    if (textAt(object, "metadata", "deletionTimestamp") !== "") {
      if (finalizers.includes("orphan")) this.#orphan(address, object);
      else if (finalizers.includes("foregroundDeletion")) this.#deleteDependents(address, object);
      return;
    }
    if (ownersOf(object).length > 0) this.#settleOwned(address, object);
  }

  #settleOwned(address: Address, object: JsonObject): void {
    const owners = ownersOf(object);
    const states = owners.map((owner) => this.#stateOf(address, owner));
    const solid = owners.filter((_, index) => states[index] === "solid");
    if (solid.length === owners.length) return;
    if (solid.length > 0) {
      const next = withAt(object, ["metadata", "ownerReferences"], solid);
      keep(this.#cluster, address.resource, address.key, next);
      return;
    }
    const uid = textAt(object, "metadata", "uid");
    const deep = states.includes("waiting") && this.#dependentsOf(uid).length > 0;
    removeAt(this.#cluster, address, { uid, propagation: deep ? "Foreground" : "Background" });
  }

  #stateOf(dependent: Address, owner: JsonObject): "solid" | "absent" | "waiting" {
    const known = this.#cluster.kinds.byGroupKind(
      groupOf(textAt(owner, "apiVersion")),
      textAt(owner, "kind"),
    );
    // An owner of a kind that is not served may well exist somewhere: nothing is collected on a guess.
    if (known === undefined) return "solid";
    const address = this.#addresses.get(textAt(owner, "uid"));
    if (address === undefined || address.resource !== known.resource) return "absent";
    const namespace = address.key.slice(0, address.key.indexOf("/") + 1);
    if (namespace !== "/" && !dependent.key.startsWith(namespace)) return "absent";
    const object = this.#cluster.store.get(address.resource, address.key);
    const waits =
      textAt(object, "metadata", "deletionTimestamp") !== "" &&
      textsAt(object, "metadata", "finalizers").includes("foregroundDeletion");
    return waits ? "waiting" : "solid";
  }

  #orphan(address: Address, object: JsonObject): void {
    const uid = textAt(object, "metadata", "uid");
    for (const dependent of this.#dependentsOf(uid)) {
      const child = this.#cluster.store.get(dependent.resource, dependent.key);
      if (child === undefined) continue;
      const rest = ownersOf(child).filter((owner) => owner["uid"] !== uid);
      const next = withAt(child, ["metadata", "ownerReferences"], rest.length === 0 ? undefined : rest);
      keep(this.#cluster, dependent.resource, dependent.key, next);
    }
    this.#release(address, "orphan");
  }

  #deleteDependents(address: Address, object: JsonObject): void {
    const uid = textAt(object, "metadata", "uid");
    let blocked = false;
    for (const dependent of this.#dependentsOf(uid)) {
      const child = this.#cluster.store.get(dependent.resource, dependent.key);
      if (child === undefined) continue;
      if (textAt(child, "metadata", "deletionTimestamp") === "") this.settle(dependent);
      const still = this.#cluster.store.get(dependent.resource, dependent.key);
      const owner = ownersOf(still).find((item) => item["uid"] === uid);
      if (owner !== undefined && at(owner, "blockOwnerDeletion") === true) blocked = true;
    }
    if (!blocked) this.#release(address, "foregroundDeletion");
  }

  #release(address: Address, finalizer: string): void {
    const object = this.#cluster.store.get(address.resource, address.key);
    if (object === undefined) return;
    const rest = textsAt(object, "metadata", "finalizers").filter((name) => name !== finalizer);
    const next = withAt(object, ["metadata", "finalizers"], rest.length === 0 ? undefined : rest);
    keep(this.#cluster, address.resource, address.key, next);
  }

  #dependentsOf(uid: string): readonly Address[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])];
  }

  #index(address: Address, object: JsonObject): void {
    this.#addresses.set(textAt(object, "metadata", "uid"), address);
    for (const owner of ownersOf(object)) {
      const uid = textAt(owner, "uid");
      const known = this.#dependents.get(uid) ?? new Map<string, Address>();
      known.set(`${address.resource} ${address.key}`, address);
      this.#dependents.set(uid, known);
    }
  }

  #forget(address: Address, object: JsonObject): void {
    for (const owner of ownersOf(object)) {
      const uid = textAt(owner, "uid");
      const known = this.#dependents.get(uid);
      known?.delete(`${address.resource} ${address.key}`);
      if (known?.size === 0) this.#dependents.delete(uid);
    }
  }
}

function ownersOf(object: JsonObject | undefined): readonly JsonObject[] {
  return listAt(object, "metadata", "ownerReferences").filter(isObject);
}

export function addressOf(resource: string, object: JsonObject): Address {
  return {
    resource,
    key: `${textAt(object, "metadata", "namespace")}/${textAt(object, "metadata", "name")}`,
  };
}
