import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import type { KubeObject } from "../../src/api/meta.ts";
import { oddText, oddTexts } from "./odd-texts.ts";
import { type Random, randomOf } from "./random.ts";

export type MixedWorld = {
  /** How many, at least one of every kind in every namespace. */
  readonly objects: number;
  /** The same seed makes the same objects. */
  readonly seed: number;
  /** What names of namespaces, of cluster-scoped objects and of groups begin with: lower-case letters and digits. */
  readonly tag: string;
  readonly namespaces?: number;
};

const text = (name: string) =>
  readFileSync(new URL(`../fixtures/mixed-world/${name}.yaml`, import.meta.url), "utf8");

/**
 * Objects as in a cluster that has been used: all built-in kinds that can be created, three kinds of its own, owners,
 * claims with their volumes, what has ended, and texts on which YAML stumbles. In the order in which they can be
 * created; owners have no uid.
 */
export function* mixedWorld({ objects, seed, tag, namespaces = 20 }: MixedWorld): Generator<KubeObject> {
  const random = randomOf(seed);
  const cluster = loadAll(text("cluster").replaceAll("TAG", tag)) as KubeObject[];
  const form = text("namespace").replaceAll("TAG", tag);
  const names = Array.from({ length: namespaces }, (_, n) => `${tag}-team-${n}`);
  let made = 0;
  for (const object of cluster) {
    made += 1;
    yield object;
  }
  for (const [n, name] of names.entries()) {
    const own = form.replaceAll(/\bNS\b/g, name).replace('"N"', JSON.stringify(String(n)));
    for (const object of loadAll(own) as KubeObject[]) {
      made += 1;
      yield object;
    }
  }
  for (let n = 0; made + n < objects; n += 1) {
    const namespace = names[n % names.length] ?? "";
    const kind = random.pick(kinds);
    yield kind({ n, tag, namespace, random });
  }
}

type Place = {
  readonly n: number;
  readonly tag: string;
  readonly namespace: string;
  readonly random: Random;
};

const rbac = "rbac.authorization.k8s.io";

function meta({ n, namespace, random }: Place, prefix: string) {
  return {
    name: `${prefix}-${n}`,
    namespace,
    labels: { app: `app-${n % 7}`, "example.com/tier": random.pick(["web", "data", "true", "1"]) },
    ...(random.below(4) === 0 ? { annotations: { "example.com/odd": oddText(random) } } : {}),
  };
}

function configMap(place: Place): KubeObject {
  const { n, random, tag } = place;
  const metadata = meta(place, "settings");
  const data = Object.fromEntries(
    Array.from({ length: 1 + random.below(6) }, (_, key) => [`key.${key}`, oddText(random)]),
  );
  const lines = `line of settings ${n}: with some text in it\n`.repeat(random.below(60));
  const owner = { apiVersion: `${tag}.example.com/v1`, kind: "Widget", name: "first", uid: "" };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...metadata,
      // The longest name that there can be does not fit into the name of a file.
      ...(n % 97 === 0 ? { name: `${`${n}-`.padEnd(252, "a-long.name-")}z` } : {}),
      ...(random.below(5) === 0 ? { ownerReferences: [owner] } : {}),
    },
    data: { ...data, "app.yaml": lines, no: oddTexts[n % oddTexts.length] ?? "" },
    ...(random.below(10) === 0 ? { binaryData: { bytes: base64(random, 200) } } : {}),
    ...(random.below(20) === 0 ? { immutable: true } : {}),
  };
}

function secret(place: Place): KubeObject {
  const data = { password: base64(place.random, 24), "tls.key": base64(place.random, 600) };
  return { apiVersion: "v1", kind: "Secret", metadata: meta(place, "secret"), type: "Opaque", data };
}

function widget(place: Place): KubeObject {
  const { random, tag } = place;
  return {
    apiVersion: `${tag}.example.com/v1`,
    kind: "Widget",
    metadata: meta(place, "widget"),
    spec: anything(random, 4),
    [random.pick(["y", "0x1", "1e3", "~", "a b", "-"])]: oddText(random),
  };
}

function gadget(place: Place): KubeObject {
  const { random, tag } = place;
  const spec = {
    size: random.below(2 ** 31),
    ratio: random.below(1000) / 7,
    port: random.pick([80, "80", "http"]),
  };
  return { apiVersion: `${tag}.example.com/v1`, kind: "Gadget", metadata: meta(place, "gadget"), spec };
}

function serviceAccount(place: Place): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: meta(place, "account") };
}

function role(place: Place): KubeObject {
  const metadata = { ...meta(place, "role"), name: `team:${place.n}:reader` };
  const rules = [{ apiGroups: ["", "apps"], resources: ["*"], verbs: ["get", "list"] }];
  return { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules };
}

function roleBinding(place: Place): KubeObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata: meta(place, "binding"),
    roleRef: { apiGroup: rbac, kind: "Role", name: "system:web:reader" },
    subjects: [{ kind: "ServiceAccount", name: "web", namespace: place.namespace }],
  };
}

/** Without an address: there are only so many of them. */
function service(place: Place): KubeObject {
  const spec = {
    clusterIP: "None",
    selector: { app: `app-${place.n}` },
    ports: [{ name: "http", port: 80 }],
  };
  return { apiVersion: "v1", kind: "Service", metadata: meta(place, "service"), spec };
}

function podTemplate(name: string): object {
  return {
    metadata: { labels: { app: name } },
    spec: {
      serviceAccountName: "web",
      containers: [
        { name: "main", image: `registry.example.com/${name}:1`, env: [{ name: "ON", value: "on" }] },
      ],
    },
  };
}

function deployment(place: Place): KubeObject {
  const metadata = meta(place, "deployment");
  const selector = { matchLabels: { app: metadata.name } };
  const spec = { replicas: 0, selector, template: podTemplate(metadata.name) };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec };
}

function endedPod(place: Place): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(place, "ended"),
    spec: {
      serviceAccountName: "web",
      restartPolicy: "Never",
      containers: [{ name: "main", image: "registry.example.com/main:1" }],
    },
    status: { phase: place.random.pick(["Succeeded", "Failed"]) },
  };
}

function networkPolicy(place: Place): KubeObject {
  const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: meta(place, "policy"), spec };
}

/** As often as clusters hold them, by and large. */
const kinds: readonly ((place: Place) => KubeObject)[] = [
  ...Array.from({ length: 7 }, () => configMap),
  ...Array.from({ length: 3 }, () => secret),
  ...Array.from({ length: 3 }, () => widget),
  gadget,
  serviceAccount,
  role,
  roleBinding,
  service,
  deployment,
  endedPod,
  networkPolicy,
];

function base64(random: Random, bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, () => random.below(256))).toString("base64");
}

/** JSON as a custom resource may hold it; a null would be dropped by no one, so that it stays. */
function anything(random: Random, depth: number): unknown {
  const flat = [true, false, 0, -1, 1.5, 2.5e-9, 1e21, 2 ** 53 - 1, 2 ** 60, oddText(random), "", [], {}];
  if (depth === 0 || random.below(3) === 0) return random.pick(flat);
  const some = Array.from({ length: 1 + random.below(4) }, () => anything(random, depth - 1));
  if (random.below(2) === 0) return some;
  return Object.fromEntries(
    some.map((value, n) => [random.pick(["on", "0", "a-b", "x.y/z", `k${n}`]), value]),
  );
}
