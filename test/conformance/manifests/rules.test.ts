import { expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { everything } from "../../../src/mover/manifests/manifest-filter.ts";
import type { ObjectOutcome } from "../../../src/mover/manifests/object-outcome.ts";
import type { RestoreManifests } from "../../../src/mover/manifests/restore-manifests.ts";
import type { Kube } from "../../../src/ports/kube/kube.ts";
import { configMap, configMaps, deployment, deployments, jobs, resource } from "../kube/fixtures.ts";
import { kubeServers } from "../kube/servers.ts";
import { type Dumped, restoring } from "./restoring.ts";

// What each row of the documented behaviour means on a server.
const onEmbedded = kubeServers("embedded server");

type Outcomes = Readonly<Record<string, ObjectOutcome>>;
type Fields = Readonly<Record<string, unknown>>;

const core = (kind: string, plural: string): Resource => resource("", "v1", kind, plural);
const pods = builtIn.Pod;
const serviceAccounts = builtIn.ServiceAccount;
const object = (type: Resource, namespace: string, name: string, fields: Fields = {}): KubeObject => {
  const { metadata = {}, ...rest } = fields;
  const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
  return { apiVersion, kind: type.kind, metadata: { name, namespace, ...(metadata as object) }, ...rest };
};
const podSpec = { containers: [{ name: "a", image: "example.com/a:1" }] };
const pod = (namespace: string, name: string, fields: Fields = {}): Dumped => [
  pods,
  object(pods, namespace, name, { spec: podSpec, ...fields }),
];
const job = (namespace: string, name: string, fields: Fields = {}): Dumped => [
  jobs,
  object(jobs, namespace, name, {
    spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: "Never" } } },
    ...fields,
  }),
];

/** Notes the order in which objects are asked to be created. */
function watched(kube: Kube): { readonly kube: Kube; readonly sent: string[] } {
  const sent: string[] = [];
  const create: Kube["create"] = (type, one, options) => {
    sent.push(`${type.plural}/${one.metadata.name}`);
    return kube.create(type, one, options);
  };
  return { kube: { ...kube, create }, sent };
}

const neverRestored = [
  ["", "nodes"],
  ["", "events"],
  ["events.k8s.io", "events"],
  ["discovery.k8s.io", "endpointslices"],
  ["", "storage"],
  ["storage.k8s.io", "csinodes"],
  ["storage.k8s.io", "volumeattachments"],
  ["core.kubestash.com", "backupsessions"],
  ["core.kubestash.com", "backupverificationsession"],
  ["core.kubestash.com", "backupverifier"],
  ["core.kubestash.com", "restoresessions"],
  ["storage.kubestash.com", "repositories"],
  ["storage.kubestash.com", "snapshots"],
] as const;

onEmbedded("what a restore reads and leaves out", (server) => {
  const skipped: readonly (readonly [string, (namespace: string) => Dumped, Partial<RestoreManifests>])[] = [
    ...neverRestored.map(
      ([group, plural]) =>
        [
          `${plural} of the group "${group}"`,
          (namespace: string): Dumped => [
            { group, plural },
            object(resource(group, "v1", "Any", plural), namespace, "x"),
          ],
          {},
        ] as const,
    ),
    [
      "what the restore's own filter excludes",
      (namespace) => [configMaps, configMap(namespace, "x")],
      { filter: { ...everything, excludeResources: new Set(["configmaps"]) } },
    ],
    ["a Pod that succeeded", (namespace) => pod(namespace, "x", { status: { phase: "Succeeded" } }), {}],
    ["a Pod that failed", (namespace) => pod(namespace, "x", { status: { phase: "Failed" } }), {}],
    [
      "a Job that completed",
      (namespace) => job(namespace, "x", { status: { conditions: [{ type: "Complete", status: "True" }] } }),
      {},
    ],
    [
      "a Job that failed",
      (namespace) => job(namespace, "x", { status: { conditions: [{ type: "Failed", status: "True" }] } }),
      {},
    ],
    [
      "a token of a ServiceAccount",
      (namespace) => [
        builtIn.Secret,
        object(builtIn.Secret, namespace, "x", { type: "kubernetes.io/service-account-token" }),
      ],
      {},
    ],
    [
      "the authorities of the old cluster",
      (namespace) => [configMaps, configMap(namespace, "kube-root-ca.crt")],
      {},
    ],
    [
      "a Pod that a node makes from a file",
      (namespace) =>
        pod(namespace, "x", { metadata: { annotations: { "kubernetes.io/config.mirror": "x" } } }),
      {},
    ],
  ];

  it.each(skipped)("skips %s", async (_what, make, options) => {
    const { kube, sent } = watched(server().kube);
    const outcomes = await restoring(kube, [make(server().namespace)], options);
    expect(Object.values(outcomes)).toMatchObject([{ did: "skipped", reason: expect.stringMatching(/./) }]);
    expect(sent).toEqual([]);
  });
});

onEmbedded("the passes of a restore", (server) => {
  it("creates types in the documented order, and those that make others last", async () => {
    const { kube, sent } = watched(server().kube);
    const { namespace, tag } = server();
    const fresh = `order-${tag}`;
    const secret = object(builtIn.Secret, fresh, "s", { type: "Opaque" });
    const services = core("Service", "services");
    await restoring(kube, [
      [deployments, deployment(fresh, "d")],
      [services, object(services, fresh, "v", { spec: { ports: [{ port: 80 }] } })],
      pod(fresh, "p"),
      [configMaps, configMap(fresh, "c")],
      [builtIn.Secret, secret],
      [serviceAccounts, object(serviceAccounts, fresh, "a")],
      [builtIn.Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: fresh } }],
      job(fresh, "j"),
      [configMaps, configMap(namespace, "elsewhere")],
    ]);
    expect(sent.map((one) => one.replace(/\/.*/, ""))).toEqual([
      "namespaces",
      "serviceaccounts",
      "secrets",
      "configmaps",
      "configmaps",
      "pods",
      "services",
      "deployments",
      "jobs",
    ]);
  });

  it("tries what failed up to five times, what is done once, and tells the last error only", async () => {
    const { kube, sent } = watched(server().kube);
    const { namespace } = server();
    const outcomes = await restoring(kube, [
      [configMaps, configMap(namespace, "done")],
      [configMaps, { ...configMap(namespace, "wrong"), data: { "not a key": "x" } }],
    ]);
    expect(sent.filter((one) => one.endsWith("/done"))).toHaveLength(1);
    expect(sent.filter((one) => one.endsWith("/wrong"))).toHaveLength(5);
    expect(outcomes).toMatchObject({
      "configmaps/done": { did: "created" },
      "configmaps/wrong": { did: "failed" },
    });
  });
});

onEmbedded("what comes during a restore", (server) => {
  it("restores in a later pass what another brings meanwhile, without a word of the error before", async () => {
    const { kube, tag, namespace } = server();
    const group = `later.${tag}.example.com`;
    const laters = resource(group, "v1", "Later", "laters");
    const schema = { openAPIV3Schema: { type: "object" } };
    const crd: KubeObject = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `laters.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural: "laters", kind: "Later", singular: "later" },
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    };
    let waits = 0;
    const clock = {
      ...systemClock,
      sleep: async () => {
        waits += 1;
        if (waits === 1) await kube.create(builtIn.CustomResourceDefinition, crd, { manager: "somebody" });
      },
    };
    const outcomes = await restoring(kube, [[laters, object(laters, namespace, "one")]], { clock });
    expect(outcomes).toEqual({
      [`laters.${group}/one`]: { type: `laters.${group}`, namespace, name: "one", did: "created" },
    });
  });

  it("makes a missing namespace without labels before its first object, and says so", async () => {
    const { kube, tag } = server();
    const name = `missing-${tag}`;
    const outcomes = await restoring(kube, [[configMaps, configMap(name, "a")]]);
    expect(outcomes).toMatchObject({
      [`namespaces/${name}`]: { did: "created", notes: ["made for its objects, without labels"] },
      "configmaps/a": { did: "created" },
    });
  });
});

onEmbedded("the creation of an object", (server) => {
  it("takes its owners off, and sets those of this restore with their new uids", async () => {
    const { kube, namespace } = server();
    const old = (kind: string, name: string) => ({ apiVersion: "v1", kind, name, uid: "old" });
    const ownerReferences = [
      old("ConfigMap", "owner"),
      old("ConfigMap", "stranger"),
      old("Secret", "elsewhere"),
    ];
    await kube.create(configMaps, configMap(namespace, "stranger"), { manager: "somebody" });
    await restoring(kube, [
      pod(namespace, "owned", { metadata: { ownerReferences } }),
      [configMaps, configMap(namespace, "owner")],
    ]);
    const owner = await kube.get(configMaps, { namespace, name: "owner" });
    const live = await kube.get(pods, { namespace, name: "owned" });
    expect(live?.metadata.ownerReferences).toEqual([
      { ...old("ConfigMap", "owner"), uid: owner?.metadata.uid },
    ]);
  });
});

onEmbedded("the change of an object", (server) => {
  const restored = async (
    type: Resource,
    name: string,
    fields: Fields,
    options: Partial<RestoreManifests> = {},
  ) => {
    const { kube, namespace } = server();
    const outcomes: Outcomes = await restoring(
      kube,
      [[type, object(type, namespace, name, fields)]],
      options,
    );
    return { outcomes, live: await kube.get(type, { namespace, name }) };
  };

  it("lets the server make the selector of a Job again", async () => {
    const uid = { "controller-uid": "old", "batch.kubernetes.io/controller-uid": "old" };
    const { outcomes, live } = await restored(jobs, "selected", {
      metadata: { labels: { ...uid, team: "a" } },
      spec: {
        suspend: true,
        selector: { matchLabels: uid },
        template: { metadata: { labels: uid }, spec: { ...podSpec, restartPolicy: "Never" } },
      },
    });
    expect(outcomes["jobs.batch/selected"]).toMatchObject({ did: "created" });
    expect(JSON.stringify(live?.["spec"])).not.toContain('"old"');
    expect(live?.metadata.labels).toMatchObject({ team: "a" });
  });

  it("does not restore the status", async () => {
    const { live } = await restored(pods, "with-status", {
      spec: podSpec,
      status: { phase: "Running", podIP: "203.0.113.1" },
    });
    expect(JSON.stringify(live)).not.toContain("203.0.113.1");
  });

  it("maps the storage class of a StatefulSet's claims, and says so", async () => {
    const spec = {
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: podSpec },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "old",
            resources: { requests: { storage: "1Gi" } },
          },
        },
      ],
      replicas: 0,
    };
    const prepare = { restorePVs: false, storageClasses: new Map([["old", "new"]]) };
    const { outcomes, live } = await restored(builtIn.StatefulSet, "db", { spec }, { prepare });
    expect(outcomes["statefulsets.apps/db"]).toMatchObject({ notes: ["storage class new instead of old"] });
    expect(live?.["spec"]).toMatchObject({ volumeClaimTemplates: [{ spec: { storageClassName: "new" } }] });
  });
});
