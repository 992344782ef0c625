import { apiVersionOf, type KubeObject, keyOf, type OwnerReference, refOf } from "../../src/api/meta.ts";
import { inParallel } from "../../src/mover/storage/in-parallel.ts";
import type { DiscoveredResource, Kube } from "../../src/ports/kube/kube.ts";

const manager = "mixed-world";
const atOnce = 16;

/** Creates objects in their order, several at once, each after what it needs; owners get the uids of the live ones. */
export async function createMixed(kube: Kube, objects: Iterable<KubeObject>): Promise<number> {
  const types = servedTypes(kube);
  const made = new Map<string, Promise<KubeObject>>();
  let count = 0;
  await inParallel(objects, atOnce, async (object) => {
    const creating = create(kube, types, made, object);
    // The owners among them are few; all others are told by whoever awaits them here.
    if (isNeeded(object)) made.set(keyOf(refOf(object)), creating);
    await creating;
    count += 1;
  });
  return count;
}

function isNeeded({ kind, metadata }: KubeObject): boolean {
  return kind === "Namespace" || ["web", "first", "rack"].includes(metadata.name);
}

async function create(
  kube: Kube,
  types: ServedTypes,
  made: ReadonlyMap<string, Promise<KubeObject>>,
  object: KubeObject,
): Promise<KubeObject> {
  const { namespace, ownerReferences = [] } = object.metadata;
  if (namespace !== undefined)
    await made.get(keyOf({ apiVersion: "v1", kind: "Namespace", name: namespace }));
  if (object.kind === "Pod")
    await made.get(
      keyOf({ apiVersion: "v1", kind: "ServiceAccount", ...(namespace ? { namespace } : {}), name: "web" }),
    );
  const owners = await Promise.all(ownerReferences.map((owner) => withUid(owner, namespace, made)));
  const metadata = owners.length === 0 ? object.metadata : { ...object.metadata, ownerReferences: owners };
  const type = await types(object);
  const live = await kube.create(type, { ...object, metadata }, { manager });
  const { status } = object;
  if (status === undefined) return live;
  const name = { name: metadata.name, ...(namespace === undefined ? {} : { namespace }) };
  return await kube.mergePatch(type, name, { status }, { manager, subresource: "status" });
}

async function withUid(
  owner: OwnerReference,
  namespace: string | undefined,
  made: ReadonlyMap<string, Promise<KubeObject>>,
): Promise<OwnerReference> {
  const ref = { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name };
  const near = namespace === undefined ? undefined : made.get(keyOf({ ...ref, namespace }));
  const live = await (near ?? made.get(keyOf(ref)));
  if (live?.metadata.uid === undefined) throw new Error(`${owner.kind} ${owner.name} was not made before`);
  return { ...owner, uid: live.metadata.uid };
}

type ServedTypes = (object: KubeObject) => Promise<DiscoveredResource>;

/** A kind of a definition that has just been made takes a moment. */
function servedTypes(kube: Kube): ServedTypes {
  let known: ReadonlyMap<string, DiscoveredResource> = new Map();
  const read = async () => {
    const { resources } = await kube.discover();
    known = new Map(resources.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]));
  };
  return async ({ apiVersion, kind }) => {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const type = known.get(`${apiVersion}/${kind}`);
      if (type !== undefined) return type;
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 200));
      await read();
    }
    throw new Error(`the server serves no ${apiVersion} ${kind}`);
  };
}
