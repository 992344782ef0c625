import type { JsonObject } from "../base/json.ts";
import { type Answer, type Call, json } from "./call.ts";
import { type Cluster, timestamp } from "./cluster.ts";
import { deleteOptions, remove } from "./delete.ts";
import { badRequest, Failure, methodNotAllowed, noSuchPath, notDone, notFound } from "./failure.ts";
import { requireFitting } from "./fitting.ts";
import { keyOf } from "./kinds.ts";
import { handleLog } from "./logs.ts";
import { patchOf } from "./patch/patch.ts";
import { presentedObject } from "./present.ts";
import type { ResourcePath } from "./resource-path.ts";
import { handleScale } from "./scale.ts";
import { at, numberAt, objectAt, textAt, textsAt, withAt } from "./value.ts";
import { change, keep, read, type WriteOptions } from "./write.ts";
import { writeOptions } from "./write-options.ts";

/** Parts of objects that have paths of their own. */
export async function handleSubresource(cluster: Cluster, call: Call, path: ResourcePath): Promise<Answer> {
  const known = path.kind.subresources.find((sub) => sub.name === path.subresource);
  if (known === undefined) {
    throw path.kind.custom === undefined ? noSuchPath() : notFound(path.kind, path.name);
  }
  switch (path.subresource) {
    case "status":
      return handleStatus(cluster, call, path);
    case "scale":
      return handleScale(cluster, call, path);
    case "token":
      return handleToken(cluster, call, path);
    case "log":
      return handleLog(cluster, call, path);
    case "eviction":
      return handleEviction(cluster, call, path);
    case "binding":
      return handleBinding(cluster, call, path);
    case "finalize":
      return handleFinalize(cluster, call, path);
    case "exec":
    case "attach":
    case "portforward":
    case "proxy":
      throw notDone(
        `${path.kind.plural}/${path.subresource}`,
        "containers are processes of this machine, look at them there (`kubectl logs` works)",
      );
    default:
      throw notDone(`${path.kind.plural}/${path.subresource}`, "delete the object and create it anew");
  }
}

function placeOf(path: ResourcePath): { readonly namespace: string; readonly name: string } {
  return { namespace: path.namespace ?? "", name: path.name };
}

function handleStatus(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  const { kind } = path;
  const place = placeOf(path);
  if (call.method === "GET") {
    return presentedObject(call, kind, { status: 200, object: read(cluster, kind, place) });
  }
  const options = writeOptions(call, "status");
  if (call.method === "PUT") {
    const body = requireFitting(kind, place, call.body);
    const what = { kind: "replace", make: () => body, needsVersion: true } as const;
    const { object } = change(cluster, kind, { ...place, what }, options);
    return presentedObject(call, kind, { status: 200, object, warnings: options.warnings });
  }
  if (call.method !== "PATCH") throw methodNotAllowed();
  const what = patchOf(call, kind, place);
  const { object } = change(cluster, kind, { ...place, what }, options);
  return presentedObject(call, kind, { status: 200, object, warnings: options.warnings });
}

/** TokenRequest: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
function handleToken(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  if (call.method !== "POST") throw methodNotAllowed();
  const account = read(cluster, path.kind, placeOf(path));
  const seconds = numberAt(call.body, "spec", "expirationSeconds") ?? 3600;
  if (seconds < 600)
    throw badRequest(
      "spec.expirationSeconds: Invalid value: may not specify a duration less than 10 minutes",
    );
  const expires = cluster.clock.now() + seconds * 1000;
  const audiences = textsAt(call.body, "spec", "audiences");
  const token = cluster.tokens.issue({
    namespace: path.namespace ?? "",
    name: path.name,
    uid: textAt(account, "metadata", "uid"),
    audiences,
    expires,
  });
  return json(201, {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name: path.name,
      namespace: path.namespace ?? "",
      creationTimestamp: timestamp(cluster.clock.now()),
    },
    spec: {
      audiences,
      expirationSeconds: seconds,
      boundObjectRef: at(call.body, "spec", "boundObjectRef") ?? null,
    },
    status: { token, expirationTimestamp: timestamp(expires) },
  });
}

function handleEviction(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  if (call.method !== "POST") throw methodNotAllowed();
  const options = deleteOptions(objectAt(call.body, "deleteOptions"), call.query);
  remove(cluster, path.kind, placeOf(path), options);
  return json(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
}

function handleBinding(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  if (call.method !== "POST") throw methodNotAllowed();
  const node = textAt(call.body, "target", "name");
  if (node === "") throw badRequest("target.name: Required value");
  const options: WriteOptions = writeOptions(call, "");
  const make = (live: JsonObject) => withAt(live, ["spec", "nodeName"], node);
  const what = { kind: "replace", make, needsVersion: false } as const;
  change(cluster, path.kind, { ...placeOf(path), what }, options);
  return json(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
}

/** Takes the namespace's own finalizers, which an ordinary write leaves alone. */
function handleFinalize(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  if (call.method !== "PUT") throw methodNotAllowed();
  const place = placeOf(path);
  const body = requireFitting(path.kind, place, call.body);
  const live = read(cluster, path.kind, place);
  if (textAt(live, "metadata", "deletionTimestamp") === "") {
    throw new Failure(409, "Conflict", `namespace ${path.name} is not being deleted`);
  }
  const finalizers = textsAt(body, "spec", "finalizers");
  const next = withAt(live, ["spec", "finalizers"], finalizers.length === 0 ? undefined : finalizers);
  const object = keep(cluster, path.kind.resource, keyOf("", path.name), next);
  return presentedObject(call, path.kind, { status: 200, object });
}
