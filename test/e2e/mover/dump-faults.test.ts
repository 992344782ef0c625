import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { Resource } from "../../../src/api/meta.ts";
import type { SnapshotComponent } from "../../../src/api/snapshot.ts";
import { dumpManifests } from "../../../src/mover/manifests/dump-manifests.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import { connectKube, type KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { isKubeError } from "../../../src/ports/kube/kube-error.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeconfigOf } from "../../support/kube-apiserver.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type Exchange, type ReverseProxy, startReverseProxy } from "../../support/reverse-proxy.ts";
import { sharedKube } from "../../support/shared-kube.ts";
import { describeTree } from "../../support/tree.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");
const rate = { qps: 20, burst: 10 };
/** More than the first page of a list holds. */
const manyConfigMaps = 130;
/** What controllers write while a dump runs. */
const restless = ["events", "leases"];

let world: MoverWorld;
let proxy: ReverseProxy;
/** Through the proxy. */
let kube: KubeConnection;
let shop: string;
let askedAt: number[] = [];
let at = 7000;

beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  const { url, ca, token } = await sharedKube({ controllers: true });
  proxy = await startReverseProxy(url, ca);
  const kubeconfigText = kubeconfigOf({ url: proxy.url, token });
  kube = await connectKube({ kubeconfigText, ...rate, patienceMs: 5_000 });
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
  for (let n = 0; n < manyConfigMaps; n += 1) {
    await world.create(builtIn.ConfigMap, {
      metadata: { name: `settings-${n}`, namespace: shop },
      data: { n: String(n) },
    });
  }
  for (const name of ["login", "key"]) {
    await world.create(builtIn.Secret, { metadata: { name, namespace: shop }, data: { a: "YQ==" } });
  }
  await world.create(builtIn.Role, { metadata: { name: "reader", namespace: shop }, rules: [] });
  // Made by controllers, each in its own time.
  await eventually(async () => await world.get(builtIn.ConfigMap, shop, "kube-root-ca.crt"));
  await eventually(async () => await world.get(builtIn.ServiceAccount, shop, "default"));
}, 120_000);
afterEach(() => {
  if (proxy !== undefined) proxy.intercept = undefined;
});
afterAll(async () => {
  await kube?.close();
  await proxy?.close();
  await world?.close();
});

type Outcome = {
  readonly code: number;
  readonly component: SnapshotComponent;
  /** Path below the tree and digest of each file of the restic snapshot. */
  readonly saved: Readonly<Record<string, string>>;
};

/** Backs the shop up while `intercept` stands between the Job and the API server. */
async function backUp(intercept: (exchange: Exchange) => void | Promise<void>): Promise<Outcome> {
  at += 1;
  const { session, snapshot } = await world.session({ repository: "faults", at });
  askedAt = [];
  proxy.intercept = (exchange) => {
    askedAt.push(Date.now());
    return intercept(exchange);
  };
  const flags = {
    namespace: world.vault,
    backupsession: session,
    "include-namespaces": shop,
    "exclude-resources": restless.join(","),
  };
  const code = await world.job("kubedump-backup", "manifest", flags, { kube });
  const component = await world.component(snapshot, "manifest");
  const id = component.resticStats?.[0]?.summary?.id;
  return { code, component, saved: id === undefined ? {} : await filesIn(id) };
}

async function filesIn(snapshotId: string): Promise<Readonly<Record<string, string>>> {
  const into = await mkdtemp(join(tmpdir(), "holdfast-saved-"));
  try {
    const repository = world.resticRepository("faults/repository/v1/nightly/manifest");
    const path = "/kubestash-tmp/manifest";
    await world.restic.restore(repository, { snapshotId, root: into, path, include: [], exclude: [] });
    return filesOf(join(into, path));
  } finally {
    await rm(into, { recursive: true });
  }
}

/** What a dump without any fault holds now, without files below these folders. */
async function fresh(without: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
  const into = await mkdtemp(join(tmpdir(), "holdfast-fresh-"));
  try {
    const filter = {
      ...everything,
      clusterResources: false,
      includeNamespaces: new Set([shop]),
      excludeResources: new Set(restless),
    };
    const signal = AbortSignal.timeout(60_000);
    const tree = join(into, "manifest");
    const { missing } = await dumpManifests({ kube: world.kube, filter, tree, log: () => {}, signal });
    expect(missing).toEqual([]);
    const files = Object.entries(filesOf(tree));
    return Object.fromEntries(files.filter(([path]) => !without.some((part) => path.startsWith(`${part}/`))));
  } finally {
    await rm(into, { recursive: true });
  }
}

function filesOf(tree: string): Readonly<Record<string, string>> {
  const files = describeTree(tree).filter(({ type }) => type === "file");
  return Object.fromEntries(files.map(({ path, content = "" }) => [path, content]));
}

const lists = (exchange: Exchange, plural: string) =>
  exchange.method === "GET" && exchange.path.split("?")[0]?.endsWith(`/namespaces/${shop}/${plural}`);

function refuse({ response }: Exchange, code: number, reason: string, more: object = {}): void {
  response.writeHead(code, { "content-type": "application/json", "retry-after": "2" });
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "a test" };
  response.end(JSON.stringify({ ...status, ...more }));
}

/** In no span of time more requests than the bucket lets through. */
function expectRate(times: readonly number[]): void {
  for (const [first, from] of times.entries()) {
    for (let last = first; last < times.length; last += 1) {
      const most = rate.burst + (rate.qps * ((times[last] ?? from) - from)) / 1000;
      // Requests of one moment may arrive some milliseconds apart.
      expect(last - first + 1).toBeLessThanOrEqual(most + 2);
    }
  }
}

describe.runIf(runs)("a dump that meets a fault that passes", () => {
  it("leaves a server that answers 429 alone, for as long as it asks, and loses nothing", async () => {
    let freeAt: number | undefined;
    const early: string[] = [];
    const { code, saved } = await backUp((exchange) => {
      if (freeAt === undefined && lists(exchange, "secrets")) {
        freeAt = Date.now() + 2_000;
        return refuse(exchange, 429, "TooManyRequests");
      }
      if (freeAt !== undefined && Date.now() < freeAt) early.push(exchange.path);
      exchange.pass();
    });
    expect(code).toBe(0);
    expect(early).toEqual([]);
    expect(freeAt).toBeDefined();
    expect(saved).toEqual(await fresh());
    expectRate(askedAt);
  });

  it("reads again after a connection that was reset, within a page too", async () => {
    let resets = 0;
    const { code, saved } = await backUp((exchange) => {
      if (resets > 1 || !lists(exchange, resets === 0 ? "configmaps" : "secrets")) return exchange.pass();
      resets += 1;
      if (resets === 1) exchange.response.writeHead(200).write('{"kind":"List","items":[');
      exchange.response.socket?.resetAndDestroy();
    });
    expect(code).toBe(0);
    expect(resets).toBe(2);
    expect(saved).toEqual(await fresh());
  });

  it("begins a list that expires again, and at last goes on where the server lets it, and says so", async () => {
    let expired = 0;
    const { code, saved } = await backUp((exchange) => {
      const token = new URL(exchange.path, proxy.url).searchParams.get("continue");
      if (!lists(exchange, "configmaps") || token === null) return exchange.pass();
      const place = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
      if (place.rv === -1) return exchange.pass();
      expired += 1;
      // As a kube-apiserver words it: the remainder, as it is now.
      const later = Buffer.from(JSON.stringify({ ...place, rv: -1 })).toString("base64url");
      refuse(exchange, 410, "Expired", { metadata: { continue: later } });
    });
    expect(code).toBe(0);
    expect(expired).toBe(3);
    expect(world.log.join("\n")).toMatch(/configmaps in namespace \S+: .*parts are of different moments/);
    expect(saved).toEqual(await fresh());
  });
});

describe.runIf(runs)("a dump that cannot have a part", () => {
  it("names a broken API, a forbidden kind and one that went away, saves the rest, and is partial", async () => {
    const group = `broken-${world.tag}.example.com`;
    const crd = await makeWidgets();
    const api = await makeAbsentApi(group, "v1");
    const asked: string[] = [];
    try {
      const { code, component, saved } = await backUp(async (exchange) => {
        if (lists(exchange, "widgets")) {
          asked.push("widgets");
          await removeWidgets(crd);
        }
        if (!lists(exchange, "roles")) return exchange.pass();
        asked.push("roles");
        refuse(exchange, 403, "Forbidden");
      });
      expect(code).toBe(3);
      expect(component.phase).toBe("Failed");
      expect(component.proof?.missing).toEqual([
        expect.stringContaining(`API group ${group}/v1`),
        expect.stringMatching(/^roles\.rbac\.authorization\.k8s\.io in namespace \S+: .*403 Forbidden/),
        expect.stringMatching(/^widgets\.\S+ in namespace \S+: .*404 NotFound/),
      ]);
      // What is final is asked for once.
      expect(asked.toSorted()).toEqual(["roles", "widgets"]);
      await world.kube.delete(apiServices, { name: api });
      const rest = await eventually(async () => await fresh(["roles.rbac.authorization.k8s.io"]));
      expect(saved).toEqual(rest);
      expectRate(askedAt);
    } finally {
      await world.kube.delete(apiServices, { name: api });
      await world.kube.delete(builtIn.CustomResourceDefinition, { name: crd });
    }
  });

  it("is whole all the same while a metrics-server is down, of which nothing could be dumped", async () => {
    const name = await makeAbsentApi("metrics.k8s.io", "v1beta1");
    try {
      const { code, component } = await backUp((exchange) => exchange.pass());
      expect(code).toBe(0);
      expect(component.proof?.missing).toBeUndefined();
      expect(world.log.join("\n")).toContain("API group metrics.k8s.io/v1beta1: ");
    } finally {
      await world.kube.delete(apiServices, { name });
    }
  });

  it("fails, and makes no empty Snapshot, where it may list nothing at all", async () => {
    const { code, component, saved } = await backUp((exchange) =>
      exchange.path.includes(`/namespaces/${shop}/`) ? refuse(exchange, 403, "Forbidden") : exchange.pass(),
    );
    expect(code).toBe(1);
    expect(component).toMatchObject({ phase: "Failed", error: expect.stringContaining("403 Forbidden") });
    expect(component.resticStats).toBeUndefined();
    expect(saved).toEqual({});
  });

  it("asks some times and not for ever for a kind whose connection breaks each time", async () => {
    let broken = 0;
    const { code, component, saved } = await backUp((exchange) => {
      if (!lists(exchange, "secrets")) return exchange.pass();
      broken += 1;
      exchange.response.socket?.resetAndDestroy();
    });
    expect(code).toBe(3);
    expect(component.proof?.missing).toEqual([expect.stringMatching(/^secrets in namespace /)]);
    expect(saved).toEqual(await fresh(["secrets"]));
    // Pauses are doubled: five seconds of them are five or six tries.
    expect(broken).toBeGreaterThan(2);
    expect(broken).toBeLessThan(12);
  });
});

const apiServices: Resource = {
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  namespaced: false,
};

/** An API of another server, which nobody runs; answers the name of its registration once discovery has it. */
async function makeAbsentApi(group: string, version: string): Promise<string> {
  const name = `${version}.${group}`;
  const service = { namespace: shop, name: "absent", port: 443 };
  const priority = { groupPriorityMinimum: 100, versionPriority: 100 };
  await world.create(apiServices, { metadata: { name }, spec: { group, version, service, ...priority } });
  await eventually(async () => {
    const { failures } = await world.kube.discover();
    if (failures.every(({ groupVersion }) => groupVersion !== `${group}/${version}`))
      throw new Error(`${group} is not known yet`);
  });
  return name;
}

function widgetsOf(tag: string): Resource {
  const group = `faults-${tag}.example.com`;
  return { group, version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
}

/** A kind of its own with one object in the shop; answers the name of its definition. */
async function makeWidgets(): Promise<string> {
  const { group, kind, plural } = widgetsOf(world.tag);
  const name = `${plural}.${group}`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await world.create(builtIn.CustomResourceDefinition, {
    metadata: { name },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, singular: "widget", kind },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
  await eventually(
    async () =>
      await world.create(widgetsOf(world.tag), { metadata: { name: "one", namespace: shop }, spec: {} }),
  );
  return name;
}

/** Until the server does not know the kind any more. */
async function removeWidgets(name: string): Promise<void> {
  await world.kube.delete(builtIn.CustomResourceDefinition, { name });
  const list = async () => {
    for await (const page of world.kube.list(widgetsOf(world.tag), { namespace: shop })) return page;
    return undefined;
  };
  await eventually(async () => {
    const answer = await list().catch((thrown: unknown) => thrown);
    if (!isKubeError(answer, 404)) throw new Error(`${name} is still served`);
  });
}
