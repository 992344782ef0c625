import { describe, expect, test } from "vitest";
import { amount, rollingBounds } from "../../../src/embedded/controllers/deployment-status.ts";
import { environmentOf, expand, resourceOf } from "../../../src/embedded/controllers/kubelet/environment.ts";
import { isLocalImage } from "../../../src/embedded/controllers/kubelet/pod-spec.ts";
import { parseQuantity } from "../../../src/embedded/controllers/kubelet/quantity.ts";
import { changesOf, withCondition } from "../../../src/embedded/controllers/status.ts";
import { templateHash } from "../../../src/embedded/controllers/template-hash.ts";
import { isAvailableFor } from "../../../src/embedded/controllers/volume-match.ts";

describe("template hash", () => {
  const template = {
    metadata: { labels: { app: "shop" } },
    spec: { containers: [{ name: "a", image: "b" }] },
  };

  test("the order of fields does not matter, and neither does the label made from it", () => {
    const turned = {
      spec: { containers: [{ image: "b", name: "a" }] },
      metadata: { labels: { app: "shop" } },
    };
    const labelled = { ...template, metadata: { labels: { app: "shop", "pod-template-hash": "x" } } };
    expect(templateHash(turned)).toBe(templateHash(template));
    expect(templateHash(labelled)).toBe(templateHash(template));
  });

  test("another image is another hash, and every hash can be a label", () => {
    const other = { ...template, spec: { containers: [{ name: "a", image: "c" }] } };
    expect(templateHash(other)).not.toBe(templateHash(template));
    expect(templateHash(other)).toMatch(/^[a-z0-9]{10}$/);
  });
});

describe("environment", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", uid: "u", labels: { app: "shop" } },
    spec: { serviceAccountName: "mover" },
  };
  const secret = { ...pod, kind: "Secret", data: { key: Buffer.from("value").toString("base64") } };
  const read = {
    secret: async (name: string) => (name === "there" ? secret : undefined),
    configMap: async () => undefined,
  };

  test("variables come from every source, and later ones see earlier ones", async () => {
    const container = {
      envFrom: [{ prefix: "S_", secretRef: { name: "there" } }],
      env: [
        { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: "ALL", value: "$(APP)-$(S_key)-$(LATER)-$$(APP)" },
        { name: "LATER", value: "x" },
        { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      ],
      resources: { limits: { cpu: "1500m" } },
    };
    const environment = await environmentOf(pod, container, read, { PATH: "/bin" });
    expect(environment).toEqual({
      PATH: "/bin",
      S_key: "value",
      APP: "shop",
      ALL: "shop-value-$(LATER)-$(APP)",
      LATER: "x",
      CPU: "2",
    });
  });

  test("a missing key is named, an optional one is left out", async () => {
    const of = (optional: boolean) => ({
      env: [{ name: "X", valueFrom: { secretKeyRef: { name: "there", key: "no", optional } } }],
    });
    await expect(environmentOf(pod, of(false), read, {})).rejects.toThrow(
      "couldn't find key no in Secret n/there",
    );
    expect(await environmentOf(pod, of(true), read, {})).toEqual({});
  });

  test("a field that nobody knows is refused by name", async () => {
    const container = { env: [{ name: "X", valueFrom: { fieldRef: { fieldPath: "status.mood" } } }] };
    await expect(environmentOf(pod, container, read, {})).rejects.toThrow(
      "unsupported fieldPath: status.mood",
    );
  });

  test("expansion leaves alone what it cannot resolve", () => {
    expect(expand("$(A) $(B) $$(A) $A $", { A: "1" })).toBe("1 $(B) $(A) $A $");
  });

  test("resources are rounded up to their divisor", () => {
    const container = { resources: { limits: { memory: "1Gi" } } };
    expect(resourceOf(pod, container, { resource: "limits.memory", divisor: "1Mi" })).toBe("1024");
  });
});

test.each([
  ["500m", 0.5],
  ["2", 2],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["1e3", 1_000],
  ["10k", 10_000],
  ["ten", undefined],
])("the quantity %s is %s", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test.each([
  ["ghcr.io/holdfast-dev/holdfast:0.1.0", true],
  ["ghcr.io/holdfast-dev/holdfast@sha256:abc", true],
  ["ghcr.io/holdfast-dev/holdfast", true],
  ["ghcr.io/holdfast-dev/holdfast-evil:1", false],
  ["localhost:5000/x", false],
])("%s is an image of ours: %s", (image, local) => {
  expect(isLocalImage(image, ["ghcr.io/holdfast-dev/holdfast"])).toBe(local);
});

test("rolling bounds round as Kubernetes rounds and always let one pod move", () => {
  const deployment = (rollingUpdate: object, replicas: number) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { replicas, strategy: { rollingUpdate } },
  });
  expect(rollingBounds(deployment({}, 3))).toEqual({ surge: 1, unavailable: 0 });
  expect(rollingBounds(deployment({ maxSurge: 0, maxUnavailable: 0 }, 3))).toEqual({
    surge: 0,
    unavailable: 1,
  });
  expect(amount("50%", 3, Math.ceil)).toBe(2);
});

test("an unchanged status makes no patch, and a field that is gone is taken out", () => {
  const conditions = withCondition([], { type: "Ready", status: "True", reason: "", message: "" }, 0);
  const again = withCondition(conditions, { type: "Ready", status: "True", reason: "", message: "" }, 5_000);
  expect(again).toBe(conditions);
  expect(changesOf({ a: 1, b: { c: 2 } }, { a: 1, b: { c: 2 } })).toEqual({});
  expect(changesOf({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 4 } })).toEqual({ a: null, b: { c: 4, d: null } });
});

test("a volume fits a claim of its class that is no bigger and nobody else's", () => {
  const volume = (spec: object) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "v" },
    spec: { capacity: { storage: "5Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "", ...spec },
  });
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "n", uid: "u" },
    spec: {
      storageClassName: "",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "5Gi" } },
    },
  };
  expect(isAvailableFor(volume({}), claim)).toBe(true);
  expect(isAvailableFor(volume({ capacity: { storage: "4Gi" } }), claim)).toBe(false);
  expect(isAvailableFor(volume({ storageClassName: "fast" }), claim)).toBe(false);
  expect(isAvailableFor(volume({ accessModes: ["ReadOnlyMany"] }), claim)).toBe(false);
  expect(isAvailableFor(volume({ claimRef: { namespace: "n", name: "c" } }), claim)).toBe(true);
  expect(isAvailableFor(volume({ claimRef: { namespace: "n", name: "c", uid: "other" } }), claim)).toBe(
    false,
  );
});
