import { describe, expect, test } from "vitest";
import type { BackupConfiguration } from "../../../src/api/backup-configuration.ts";
import type { BackupStorage } from "../../../src/api/backup-storage.ts";
import { type FieldError, pathText } from "../../../src/api/field-error.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import type { Repository } from "../../../src/api/repository.ts";
import type { RetentionPolicy } from "../../../src/api/retention-policy.ts";
import {
  backendsAreComplete,
  repositoriesAreOwn,
  sharersAgree,
  usageIsAllowed,
} from "../../../src/api/rules/backup-configuration-relations.ts";
import { placeIsOwn, storageInUseIsFixed } from "../../../src/api/rules/backup-storage-rules.ts";
import { repositoryPathIsFixed } from "../../../src/api/rules/repository-rules.ts";
import { oneDefault, specIsFixed } from "../../../src/api/rules/shared-rules.ts";
import { changed, kubestashObject } from "../../fixtures/kubestash/kubestash-objects.ts";

function fixture<Kind extends KubeObject>(
  name: string,
  ...changes: readonly [readonly (string | number)[], unknown][]
) {
  return changes.reduce(
    (object, [path, value]) => changed(object, path, value),
    kubestashObject(name),
  ) as Kind;
}

const said = (errors: readonly FieldError[]) => errors.map((one) => `${pathText(one.path)} ${one.reason}`);

const minio = (...changes: readonly [readonly (string | number)[], unknown][]) =>
  fixture<BackupStorage>("BackupStorage/minio", ...changes);
const repository = (...changes: readonly [readonly (string | number)[], unknown][]) =>
  fixture<Repository>("Repository/shop-web-repo", ...changes);
const shopWeb = (...changes: readonly [readonly (string | number)[], unknown][]) =>
  fixture<BackupConfiguration>("BackupConfiguration/shop-web", ...changes);
const name = ["metadata", "name"];
const namespace = ["metadata", "namespace"];

describe("BackupStorages", () => {
  test("have one default in a namespace", () => {
    expect(said(oneDefault.check(minio(), [minio(), minio([name, "other"])]))).toEqual([
      "spec.default Conflict",
    ]);
    expect(oneDefault.check(minio(), [minio(), minio([name, "other"], [namespace, "shop"])])).toEqual([]);
    expect(oneDefault.check(minio(), [minio([name, "other"], [["spec", "default"], false])])).toEqual([]);
    expect(oneDefault.check(minio([["spec", "default"], undefined]), [minio([name, "other"])])).toEqual([]);
  });

  test("cannot move while Repositories use them", () => {
    const used: [readonly string[], unknown] = [
      ["status"],
      { repositories: [{ name: "r", namespace: "shop" }] },
    ];
    const moved: [readonly string[], unknown] = [["spec", "storage", "s3", "prefix"], "elsewhere"];
    expect(said(storageInUseIsFixed.check(minio(used), minio(used, moved)))).toEqual([
      "spec.storage Immutable",
    ]);
    expect(storageInUseIsFixed.check(minio(), minio(moved))).toEqual([]);
    expect(storageInUseIsFixed.check(minio(used), minio(used, [["spec", "default"], false]))).toEqual([]);
  });

  test("have a place of their own", () => {
    const place = ["spec", "storage", "s3"];
    const other = minio([name, "other"], [namespace, "shop"]);
    expect(said(placeIsOwn.check(minio(), [minio(), other]))).toEqual(["spec.storage Conflict"]);
    for (const field of ["endpoint", "bucket", "prefix"])
      expect(
        placeIsOwn.check(minio(), [minio([name, "other"], [[...place, field], "http://other"])]),
      ).toEqual([]);
    expect(
      said(placeIsOwn.check(minio(), [minio([name, "other"], [[...place, "prefix"], "/lab/"])])),
    ).toHaveLength(1);
  });

  const prefix = ["spec", "storage", "s3", "prefix"];
  test.each([
    ["lab", "lab/a", "around"],
    ["lab/a", "/lab/", "inside of"],
    ["", "lab", "around"],
    ["lab", "laboratory", undefined],
    ["lab/a", "lab/b", undefined],
  ])("with the prefix %j beside one of %j lies %s it", (own, theirs, lies) => {
    const [error] = placeIsOwn.check(minio([prefix, own]), [minio([name, "other"], [prefix, theirs])]);
    expect(error?.message).toBe(lies && `lies ${lies} BackupStorage vault/other`);
  });

  const shelf = fixture<BackupStorage>("BackupStorage/shelf");
  const local = (source: unknown, subPath?: string) =>
    changed(shelf, ["spec", "storage", "local"], {
      ...Object(source),
      mountPath: "/b",
      subPath,
    }) as BackupStorage;
  const renamed = (storage: BackupStorage) =>
    changed(storage, ["metadata", "name"], "other") as BackupStorage;
  test.each([
    ["NFS", { nfs: { server: "nas", path: "/x" } }, { nfs: { server: "nas", path: "/x/y/" } }],
    ["a claim", { persistentVolumeClaim: { claimName: "c" } }, { persistentVolumeClaim: { claimName: "c" } }],
    ["a node", { hostPath: { path: "/x" } }, { hostPath: { path: "/x" } }],
  ])("on %s share no folder, and may lie beside each other", (_title, own, theirs) => {
    expect(said(placeIsOwn.check(local(own), [renamed(local(theirs))]))).toEqual(["spec.storage Conflict"]);
    expect(placeIsOwn.check(local(own, "a"), [renamed(local(theirs, "b"))])).toEqual([]);
  });
});

test("a Repository's path and a BackupSession's spec cannot be changed", () => {
  expect(said(repositoryPathIsFixed.check(repository(), repository([["spec", "path"], "x"])))).toEqual([
    "spec.path Immutable",
  ]);
  expect(
    repositoryPathIsFixed.check(repository(), repository([["spec", "deletionPolicy"], "WipeOut"])),
  ).toEqual([]);
  const run = (generation: number) => ({ metadata: { name: "run", generation } });
  expect(specIsFixed.check(run(1))).toEqual([]);
  expect(said(specIsFixed.check(run(2)))).toEqual(["spec Immutable"]);
});

const at = "spec.sessions[0].repositories[0]";

describe("a BackupConfiguration", () => {
  test("needs a backend with a storage and a policy", () => {
    expect(backendsAreComplete.check(shopWeb())).toEqual([]);
    expect(said(backendsAreComplete.check(shopWeb([["spec", "backends"], undefined])))).toEqual([
      "spec.backends Required",
    ]);
    expect(said(backendsAreComplete.check(shopWeb([["spec", "backends"], [{ name: "main" }]])))).toEqual([
      "spec.backends[0].storageRef Required",
      "spec.backends[0].retentionPolicy Required",
    ]);
  });

  test("takes the Repository that it made, and one that is not there yet", () => {
    expect(repositoriesAreOwn.check(shopWeb(), [repository()])).toEqual([]);
    expect(repositoriesAreOwn.check(shopWeb(), [])).toEqual([]);
  });

  test.each<[string, readonly [readonly (string | number)[], unknown][], readonly string[]]>([
    ["of another target", [[["spec", "appRef", "name"], "db"]], [`${at}.name Conflict`]],
    ["of no target", [[["spec", "appRef"], { apiGroup: "na", name: "na" }]], [`${at}.name Conflict`]],
    ["in another storage", [[["spec", "storageRef", "name"], "shelf"]], [`${at}.backend Conflict`]],
    ["of another name in the same directory", [[name, "other"]], [`${at}.directory Conflict`]],
    [
      "of another namespace in the same directory",
      [
        [namespace, "x"],
        [["spec", "path"], "shop/web/"],
      ],
      [`${at}.directory Conflict`],
    ],
    [
      "of another namespace elsewhere",
      [
        [namespace, "x"],
        [["spec", "path"], "x"],
      ],
      [],
    ],
    [
      "of another namespace in another storage",
      [
        [namespace, "x"],
        [["spec", "storageRef"], { name: "minio" }],
      ],
      [],
    ],
  ])("judges an existing Repository %s", (_title, changes, expected) => {
    expect(said(repositoriesAreOwn.check(shopWeb(), [repository(...changes)]))).toEqual(expected);
  });

  test("may use what allows its namespace, and what is not there yet", () => {
    const policy = fixture<RetentionPolicy>("RetentionPolicy/two-weeks");
    const from = ["spec", "usagePolicy", "allowedNamespaces", "from"];
    const refused = { storages: [minio([from, "Same"])], retentionPolicies: [policy], namespaceLabels: {} };
    expect(usageIsAllowed.check(shopWeb(), refused).map((one) => one.message)).toEqual([
      "BackupStorage vault/minio may not be used from namespace shop",
      "RetentionPolicy vault/two-weeks may not be used from namespace shop",
    ]);
    const selecting = changed(policy, from, "Selector") as RetentionPolicy;
    const allowed = {
      storages: [minio()],
      retentionPolicies: [selecting],
      namespaceLabels: { team: "shop" },
    };
    expect(usageIsAllowed.check(shopWeb(), allowed)).toEqual([]);
    const absent = { storages: [], retentionPolicies: [], namespaceLabels: {} };
    expect(usageIsAllowed.check(shopWeb(), absent)).toEqual([]);
  });
});

describe("a BackupConfiguration that shares a Repository", () => {
  const secret = ["spec", "sessions", 0, "repositories", 0, "encryptionSecret"];
  const policy = ["spec", "sessions", 0, "repositories", 0, "deletionPolicy"];
  const own = shopWeb([name, "other"]);
  const there = [repository()];

  test("gives it the same Secret and deletionPolicy", () => {
    expect(sharersAgree.check(own, [shopWeb(), own], [])).toEqual([]);
    const elsewhere = shopWeb([secret, { name: "second" }]);
    expect(said(sharersAgree.check(own, [elsewhere], []))).toEqual([`${at}.encryptionSecret Conflict`]);
    const wiped = shopWeb([policy, "WipeOut"]);
    expect(said(sharersAgree.check(own, [wiped], []))).toEqual([`${at}.deletionPolicy Conflict`]);
    expect(sharersAgree.check(own, [shopWeb([policy, "Delete"])], [])).toEqual([]);
    expect(
      sharersAgree.check(
        own,
        [fixture(`BackupConfiguration/shop-web`, [namespace, "x"], [secret, { name: "y" }])],
        [],
      ),
    ).toEqual([]);
  });

  test("is refused only where it differs from the Repository that is there", () => {
    const elsewhere = shopWeb([secret, { name: "second" }]);
    expect(sharersAgree.check(own, [elsewhere], there)).toEqual([]);
    const [error] = sharersAgree.check(elsewhere, [own], there);
    expect(error?.other).toMatchObject({ kind: "BackupConfiguration", name: "other" });
  });
});
