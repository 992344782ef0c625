import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KubeObject } from "../../src/api/meta.ts";

const namespace = "shop";
const labels = { app: "web" };

/** The shop as its owners would apply it: a Deployment with a claim, configuration, a Secret, a kind of its own. */
export function shopObjects(): readonly KubeObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "coupons.shop.example.com" },
      spec: {
        group: "shop.example.com",
        scope: "Namespaced",
        names: { plural: "coupons", singular: "coupon", kind: "Coupon" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: {
                  spec: {
                    type: "object",
                    properties: { code: { type: "string" }, percent: { type: "integer" } },
                  },
                },
              },
            },
          },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "web-config", namespace },
      data: { "shop.properties": "currency=EUR\nopen=yes\n", mode: "0644" },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "web-session-key", namespace },
      type: "Opaque",
      data: { key: randomBytes(32).toString("base64") },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "web-data", namespace },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: "web",
                image: "registry.example.com/shop/web:1.4",
                volumeMounts: [{ name: "data", mountPath: "/data" }],
              },
            ],
            volumes: [{ name: "data", persistentVolumeClaim: { claimName: "web-data" } }],
          },
        },
      },
    },
  ];
}

/** Custom resources, which need their definition first. */
export function couponObjects(): readonly KubeObject[] {
  return ["spring", "summer"].map((name, index) => ({
    apiVersion: "shop.example.com/v1",
    kind: "Coupon",
    metadata: { name, namespace },
    spec: { code: `${name.toUpperCase()}-20`, percent: 10 + index },
  }));
}

/** Files as a shop has them: text, binary, an empty one, names beyond ASCII, and one that the backup leaves out. */
export function writeFiles(directory: string): void {
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "orders/2026/11/0001.json": '{"order":1,"total":"19.90"}\n',
    "orders/2026/11/0002.json": '{"order":2,"total":"7.00"}\n',
    "images/logo.png": randomBytes(200_000),
    "images/größe.png": randomBytes(30_000),
    "empty.flag": "",
    "cache/page.tmp": "left out by the pattern *.tmp\n",
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** Path, mode and SHA-256 of every file below a directory, without those that the backup leaves out. */
export function fingerprints(directory: string): ReadonlyMap<string, string> {
  const found = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    found.flatMap((name) => {
      const path = join(directory, name);
      const stat = statSync(path);
      if (!stat.isFile() || name.endsWith(".tmp")) return [];
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      return [[name, `${(stat.mode & 0o7777).toString(8)} ${digest}`] as const];
    }),
  );
}
