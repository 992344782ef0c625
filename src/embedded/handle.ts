import type { JsonObject } from "../base/json.ts";
import versionFile from "./built-in/version.json" with { type: "json" };
import { type Answer, type Call, json } from "./call.ts";
import type { Cluster } from "./cluster.ts";
import { deleteOptions, remove } from "./delete.ts";
import { aggregated, coreVersions, groupList, oneGroup, resourceList } from "./discovery.ts";
import { Failure, methodNotAllowed, noSuchPath } from "./failure.ts";
import { requireFitting } from "./fitting.ts";
import type { Kind } from "./kinds.ts";
import { listed } from "./list.ts";
import { openApi } from "./openapi.ts";
import { patchOf } from "./patch/patch.ts";
import { presentedEvents, presentedList, presentedObject } from "./present.ts";
import { type ResourcePath, resourcePath } from "./resource-path.ts";
import { review } from "./reviews.ts";
import { handleSubresource } from "./subresources.ts";
import { textAt } from "./value.ts";
import { watched } from "./watch.ts";
import { change, create, placed, read } from "./write.ts";
import { writeOptions } from "./write-options.ts";

const openPaths = new Set(["healthz", "livez", "readyz"]);

/** Paths that need no token. */
export function isOpen(segments: readonly string[]): boolean {
  return openPaths.has(segments[0] ?? "");
}

/** Answers one request. Throws `Failure` for everything that is answered by a Status. */
export async function handle(cluster: Cluster, call: Call): Promise<Answer> {
  const [first = "", second = "", third = ""] = call.segments;
  if (openPaths.has(first)) return { kind: "text", status: 200, text: "ok" };
  if (first === "openapi") return openApi(cluster.kinds, call);
  if (first === "api" || first === "apis") {
    const depth = call.segments.length;
    if (depth <= (first === "api" ? 2 : 3)) return discovered(cluster, call, first === "api");
    return handleResource(cluster, call, resourcePath(cluster.kinds, call.segments));
  }
  requireGet(call);
  if (first === "version") return json(200, version());
  if (first === "" && second === "" && third === "") {
    return json(200, {
      paths: ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"],
    });
  }
  throw noSuchPath();
}

/** The version whose API this is; the rest of `/version` says that it is not that server. */
function version(): JsonObject {
  return {
    ...versionFile,
    gitCommit: "holdfast-embedded",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "",
    platform: `${process.platform}/${process.arch}`,
  };
}

function requireGet(call: Call): void {
  if (call.method !== "GET") throw methodNotAllowed();
}

function discovered(cluster: Cluster, call: Call, core: boolean): Answer {
  requireGet(call);
  const { kinds } = cluster;
  const [, second, third] = call.segments;
  if (second === undefined) {
    if (call.accept.includes("as=APIGroupDiscoveryList") && call.accept.includes("v=v2;")) {
      return {
        kind: "json",
        status: 200,
        body: aggregated(kinds, core),
        warnings: [],
        contentType: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
      };
    }
    return json(200, core ? coreVersions("127.0.0.1") : groupList(kinds));
  }
  if (core) return json(200, resourceList(kinds, "", second));
  if (third === undefined) return json(200, oneGroup(kinds, second));
  return json(200, resourceList(kinds, second, third));
}

async function handleResource(cluster: Cluster, call: Call, path: ResourcePath): Promise<Answer> {
  if (path.subresource !== "") return handleSubresource(cluster, call, path);
  const reviewed = review(cluster, call, path.kind);
  if (reviewed !== undefined) return reviewed;
  requireVerb(path.kind, verbOf(call, path));
  const answer = path.name === "" ? handleCollection(cluster, call, path) : handleObject(cluster, call, path);
  const deprecated = deprecations[path.kind.resource];
  if (deprecated === undefined || answer.kind !== "json") return answer;
  return { ...answer, warnings: [...answer.warnings, deprecated] };
}

/** What the release whose API this is calls deprecated; a warning in every answer. */
const deprecations: Readonly<Record<string, string>> = {
  "/endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
};

function verbOf(call: Call, path: ResourcePath): string {
  const one = path.name !== "";
  switch (call.method) {
    case "GET":
      return one ? "get" : "list";
    case "POST":
      return one ? "" : "create";
    case "PUT":
      return one ? "update" : "";
    case "PATCH":
      return one ? "patch" : "";
    case "DELETE":
      return one ? "delete" : "deletecollection";
    default:
      return "";
  }
}

function requireVerb(kind: Kind, verb: string): void {
  if (!kind.verbs.includes(verb)) throw methodNotAllowed();
}

function handleCollection(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  const { kind, namespace } = path;
  switch (call.method) {
    case "GET": {
      if (path.watch || isTrue(call.query["watch"])) {
        return presentedEvents(
          call,
          kind,
          watched(cluster, kind, { namespace, query: call.query }, call.signal),
        );
      }
      return presentedList(call, kind, listed(cluster, kind, namespace, call.query));
    }
    case "POST": {
      if (kind.namespaced && namespace === undefined) throw methodNotAllowed();
      const options = writeOptions(call, "");
      const body = requireFitting(kind, { namespace: namespace ?? "", name: "" }, call.body);
      const object = create(cluster, kind, placed(body, namespace ?? ""), options);
      return presentedObject(call, kind, { status: 201, object, warnings: options.warnings });
    }
    default:
      return removeAll(cluster, call, path);
  }
}

function removeAll(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  const { kind } = path;
  const options = deleteOptions(call.body, call.query);
  const answer = listed(cluster, kind, path.namespace, call.query);
  for (const object of answer.items) {
    const place = {
      namespace: textAt(object, "metadata", "namespace"),
      name: textAt(object, "metadata", "name"),
    };
    try {
      remove(cluster, kind, place, options);
    } catch (error) {
      // Gone meanwhile, by its owner for example: that is what was asked for.
      if (!(error instanceof Failure) || error.code !== 404) throw error;
    }
  }
  return presentedList(call, kind, answer);
}

function handleObject(cluster: Cluster, call: Call, path: ResourcePath): Answer {
  const { kind } = path;
  const place = { namespace: path.namespace ?? "", name: path.name };
  switch (call.method) {
    case "GET": {
      if (path.watch || isTrue(call.query["watch"])) {
        const query = { ...call.query, fieldSelector: `metadata.name=${path.name}` };
        return presentedEvents(
          call,
          kind,
          watched(cluster, kind, { namespace: path.namespace, query }, call.signal),
        );
      }
      return presentedObject(call, kind, { status: 200, object: read(cluster, kind, place) });
    }
    case "PUT": {
      const options = writeOptions(call, "");
      const body = requireFitting(kind, place, call.body);
      const what = { kind: "replace", make: () => body, needsVersion: true } as const;
      const { object } = change(cluster, kind, { ...place, what }, options);
      return presentedObject(call, kind, { status: 200, object, warnings: options.warnings });
    }
    case "PATCH": {
      const options = writeOptions(call, "");
      const what = patchOf(call, kind, place);
      const { object, created } = change(cluster, kind, { ...place, what }, options);
      return presentedObject(call, kind, { status: created ? 201 : 200, object, warnings: options.warnings });
    }
    default: {
      const object = remove(cluster, kind, place, deleteOptions(call.body, call.query));
      return presentedObject(call, kind, { status: 200, object });
    }
  }
}

function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1";
}
