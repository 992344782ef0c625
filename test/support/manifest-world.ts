import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { load, loadAll } from "js-yaml";
import { groupOf, type KubeObject } from "../../src/api/meta.ts";
import { labelSelector } from "../../src/embedded/selectors.ts";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";

/** A type as a discovery document lists it. */
export type WorldType = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
};

export const worldFolder = fileURLToPath(new URL("../fixtures/manifest-world/", import.meta.url));
export const worldTypes = load(readFileSync(`${worldFolder}types.yaml`, "utf8")) as readonly WorldType[];
/** Sixty objects of all these types but one. */
export const worldObjects = loadAll(readFileSync(`${worldFolder}world.yaml`, "utf8")) as KubeObject[];

export function typeOf({ apiVersion, kind }: KubeObject): WorldType {
  const found = worldTypes.find((type) => type.group === groupOf(apiVersion) && type.kind === kind);
  if (found === undefined) throw new Error(`types.yaml has no ${kind} of ${apiVersion}`);
  return found;
}

/** A server that lists the sixty objects, and keeps apart what is created. */
export type ServedWorld = {
  readonly kube: KubeConnection;
  readonly created: readonly KubeObject[];
  close(): Promise<void>;
};

type Answer = { readonly code: number; readonly body: object };

export async function serveWorld(): Promise<ServedWorld> {
  const created = new Map<string, KubeObject>();
  const server = createServer((request, response) => {
    void answer(request, created).then(({ code, body }) => {
      response.writeHead(code, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  const kubeconfigText = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server: `http://127.0.0.1:${address.port}` } }],
    users: [{ name: "x", user: {} }],
  });
  const kube = await connectKube({ kubeconfigText, qps: 10_000, burst: 10_000 });
  return {
    kube,
    get created() {
      return [...created.values()];
    },
    async close() {
      await kube.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

const established = { conditions: [{ type: "Established", status: "True" }] };

async function answer(request: IncomingMessage, created: Map<string, KubeObject>): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://x");
  const document = discovery(url.pathname);
  if (document !== undefined) return { code: 200, body: document };
  const [, group = "", version = "", namespace, plural = "", name] =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?$/.exec(
      url.pathname,
    ) ?? [];
  const type = worldTypes.find(
    (one) => one.group === group && one.version === version && one.plural === plural,
  );
  if (type === undefined) return refusal(404, "NotFound");
  const key = (of: string) => `${plural}.${group}/${namespace ?? ""}/${of}`;
  if (request.method === "GET" && name === undefined) return listed(type, namespace, url.searchParams);
  if (request.method === "GET") {
    const found = created.get(key(name ?? ""));
    return found === undefined ? refusal(404, "NotFound") : { code: 200, body: found };
  }
  const body = JSON.parse(await text(request)) as KubeObject;
  const own = name ?? body.metadata.name;
  const before = created.get(key(own));
  if (request.method === "POST" && before !== undefined) return refusal(409, "AlreadyExists");
  const metadata = {
    ...before?.metadata,
    ...body.metadata,
    name: own,
    uid: `new-${created.size}`,
    resourceVersion: "1",
  };
  // As a CustomResourceDefinition becomes, whose types this server has anyway.
  const status = type.kind === "CustomResourceDefinition" ? { status: established } : {};
  created.set(key(own), { ...before, ...body, metadata, ...status } as KubeObject);
  return { code: before === undefined ? 201 : 200, body: created.get(key(own)) ?? {} };
}

function listed(type: WorldType, namespace: string | undefined, query: URLSearchParams): Answer {
  const selected = labelSelector(query.get("labelSelector") ?? "");
  const items = worldObjects.filter(
    (object) =>
      typeOf(object) === type &&
      (namespace === undefined || object.metadata.namespace === namespace) &&
      selected(JSON.parse(JSON.stringify(object))),
  );
  const metadata = { resourceVersion: "2000" };
  return { code: 200, body: { kind: `${type.kind}List`, apiVersion: "v1", metadata, items } };
}

function discovery(path: string): object | undefined {
  const groups = Map.groupBy(worldTypes, ({ group }) => group);
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"] };
  if (path === "/apis") {
    const named = [...groups].filter(([group]) => group !== "");
    return {
      kind: "APIGroupList",
      groups: named.map(([name, [type]]) => {
        const only = { groupVersion: `${name}/${type?.version}`, version: type?.version };
        return { name, versions: [only], preferredVersion: only };
      }),
    };
  }
  const found = [...groups].find(
    ([group, [type]]) => path === (group === "" ? "/api/v1" : `/apis/${group}/${type?.version}`),
  );
  if (found === undefined) return undefined;
  const resources = found[1].map(({ plural, ...type }) => ({ ...type, name: plural }));
  return { kind: "APIResourceList", groupVersion: path.replace(/^\/apis?\//, ""), resources };
}

function refusal(code: number, reason: string): Answer {
  return { code, body: { kind: "Status", code, reason, message: `it is ${reason}` } };
}
