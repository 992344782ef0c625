import { describe, expect, test } from "vitest";
import type { BackupConfiguration } from "../../../src/api/backup-configuration.ts";
import type { BackupStorage } from "../../../src/api/backup-storage.ts";
import { defaultBackends, defaultObject, findDefault } from "../../../src/api/defaults.ts";
import type { RetentionPolicy } from "../../../src/api/retention-policy.ts";
import type { UsagePolicy } from "../../../src/api/usage-policy.ts";
import { changed, kubestashObject, kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";

const minio = kubestashObject("BackupStorage/minio");

test("an object with its defaults is not changed by them again", () => {
  for (const object of kubestashObjects().values()) {
    const once = defaultObject(object);
    expect(defaultObject(once)).toEqual(once);
  }
});

test("what is given stays", () => {
  expect(defaultObject(minio)).toEqual(minio);
});

test("what is not given gets the schema's defaults, deep inside too", () => {
  const bare = changed(changed(minio, ["spec", "usagePolicy"], undefined), ["spec", "deletionPolicy"], null);
  expect(defaultObject(bare)["spec"]).toMatchObject({
    usagePolicy: { allowedNamespaces: { from: "Same" } },
    deletionPolicy: "Delete",
  });
  expect(defaultObject(kubestashObject("BackupConfiguration/shop-web"))["spec"]).toMatchObject({
    sessions: [
      {
        sessionHistoryLimit: 1,
        retryConfig: { maxRetry: 1, delay: "1m" },
        hooks: { postBackup: [{ maxRetry: 0, executionPolicy: "Always" }] },
      },
    ],
  });
  expect(defaultObject(kubestashObject("RetentionPolicy/two-weeks"))["spec"]).toMatchObject({
    failedSnapshots: { last: 1 },
    usagePolicy: { allowedNamespaces: { from: "Same", selector: { matchLabels: { team: "shop" } } } },
  });
});

test("one trailing slash of endpoint, bucket and prefix goes", () => {
  const s3 = { endpoint: "http://minio/", bucket: "b/", prefix: "p//", region: "r/" };
  const storage = { provider: "s3", s3 };
  expect(defaultObject(changed(minio, ["spec", "storage"], storage))["spec"]).toMatchObject({
    storage: { s3: { endpoint: "http://minio", bucket: "b", prefix: "p/", region: "r/" } },
  });
});

test("objects of other kinds, and what is not even an object, come back as they are", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, spec: { usagePolicy: null } };
  expect(defaultObject(secret)).toBe(secret);
  const broken = changed(minio, ["spec", "storage"], "s3");
  expect(defaultObject(broken)["spec"]).toMatchObject({ storage: "s3" });
  const noSpec = changed(minio, ["spec"], undefined);
  expect(defaultObject(noSpec)).toBe(noSpec);
});

test("one object's defaults are not another's", () => {
  const bare = changed(minio, ["spec", "usagePolicy"], undefined);
  const [one, other] = [defaultObject(bare), defaultObject(bare)];
  expect((one["spec"] as BackupStorage["spec"]).usagePolicy).not.toBe(
    (other["spec"] as BackupStorage["spec"]).usagePolicy,
  );
});

function storage(place: string, from: "All" | "Same" | "Selector", isDefault = true): BackupStorage {
  const [namespace = "", name = ""] = place.split("/");
  const selector = { matchLabels: { team: "a" } };
  const usagePolicy: UsagePolicy = {
    allowedNamespaces: from === "Selector" ? { from, selector } : { from },
  };
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name, namespace },
    spec: { storage: { provider: "s3", s3: { bucket: "b" } }, default: isDefault, usagePolicy },
  };
}

describe("the default for a referrer", () => {
  const referrer = { namespace: "shop", namespaceLabels: { team: "a" } };
  const find = (...candidates: readonly BackupStorage[]) => {
    const found = findDefault(candidates, referrer);
    return found && `${found.metadata.namespace}/${found.metadata.name}`;
  };

  test("is the own namespace's with Same before a selector's before All", () => {
    expect(find(storage("a/all", "All"), storage("b/sel", "Selector"), storage("shop/own", "Same"))).toBe(
      "shop/own",
    );
    expect(find(storage("a/all", "All"), storage("b/sel", "Selector"))).toBe("b/sel");
    expect(find(storage("a/all", "All"), storage("b/same", "Same"))).toBe("a/all");
  });

  test("does not prefer the own namespace's All to another's", () => {
    expect(find(storage("shop/all", "All"), storage("a/all", "All"))).toBe("a/all");
  });

  test("is none where none is a default, or none may be used", () => {
    expect(find(storage("shop/own", "Same", false), storage("b/same", "Same"))).toBeUndefined();
  });

  test("is the same whatever order they come in", () => {
    const three = [storage("c/x", "All"), storage("a/y", "All"), storage("a/x", "All")];
    expect(find(...three)).toBe("a/x");
    expect(find(...three.toReversed())).toBe("a/x");
  });
});

describe("the backends of a BackupConfiguration", () => {
  const cluster = kubestashObject("BackupConfiguration/cluster") as BackupConfiguration;
  const policy = {
    ...kubestashObject("RetentionPolicy/two-weeks"),
    spec: { maxRetentionPeriod: "2w", default: true, usagePolicy: { allowedNamespaces: { from: "All" } } },
  } as RetentionPolicy;
  const holders = {
    storages: [storage("vault/minio", "Same")],
    retentionPolicies: [policy],
    namespaceLabels: {},
  };

  test("become one without a name in the default storage", () => {
    expect(defaultBackends(cluster, holders).spec.backends).toEqual([
      {
        name: "",
        storageRef: { name: "minio", namespace: "vault" },
        retentionPolicy: { name: "two-weeks", namespace: "vault" },
      },
    ]);
  });

  test("stay, and get the default policy only where they have none", () => {
    const backends = [
      { name: "a", storageRef: { name: "s" } },
      { name: "b", storageRef: { name: "s" }, retentionPolicy: { name: "own" } },
    ];
    const given = { ...cluster, spec: { ...cluster.spec, backends } };
    expect(defaultBackends(given, holders).spec.backends).toEqual([
      { ...backends[0], retentionPolicy: { name: "two-weeks", namespace: "vault" } },
      backends[1],
    ]);
  });

  test("stay empty where there is no default", () => {
    const none = { storages: [], retentionPolicies: [], namespaceLabels: {} };
    expect(defaultBackends(cluster, none).spec.backends).toEqual([]);
  });
});
