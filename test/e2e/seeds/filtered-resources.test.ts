import { existsSync, readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import type { KubeObject, Resource } from "../../../src/api/meta.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import { clusterKinds, type HoldfastWorld, resourceFor } from "../../support/holdfast-world.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { field, namespaceObject, password, phase, webDeployment } from "../lab.ts";
import {
  type ClusterFlow,
  type ClusterStory,
  commonBackupRows,
  commonRestoreRows,
  commonSessionRows,
  repository,
  runClusterFlow,
  vault,
} from "./cluster-flow.ts";
import { bucket, condition, until } from "./story.ts";

const shop = "shop";
const group = "shop.example.com";
const coupons: Resource = { group, version: "v1", kind: "Coupon", plural: "coupons", namespaced: true };
const rbac = "rbac.authorization.k8s.io";
const web = { team: "shop", tier: "web" };
const data = { team: "shop", tier: "data" };

/** What Holdfast documents for such accounts, and nothing more; the roles come with schemas/rbac. */
const accounts = loadAll(
  readFileSync(new URL("../../../examples/gitops-repo/manifest-accounts.yaml", import.meta.url), "utf8"),
) as KubeObject[];

const couponKind: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `coupons.${group}`, labels: data },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "coupons", singular: "coupon", kind: "Coupon", listKind: "CouponList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
const coupon: KubeObject = {
  apiVersion: `${group}/v1`,
  kind: "Coupon",
  metadata: { name: "spring", namespace: shop, labels: data },
  percent: 15,
  code: "0x1F",
};
const settings: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: shop, labels: web },
  data: { mode: "0644", open: "yes", text: "two\n lines: here\n" },
};
/** More than the account that restores it may do itself. */
const deployer: KubeObject = {
  apiVersion: `${rbac}/v1`,
  kind: "Role",
  metadata: { name: "system:deployer", namespace: shop, labels: web },
  rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["*"] }],
};
const auditor: KubeObject = {
  apiVersion: `${rbac}/v1`,
  kind: "ClusterRole",
  metadata: { name: "shop-auditor", labels: data },
  rules: [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }],
};
const binding: KubeObject = {
  apiVersion: `${rbac}/v1`,
  kind: "RoleBinding",
  metadata: { name: "deployer", namespace: shop, labels: web },
  subjects: [{ kind: "ServiceAccount", name: "web", namespace: shop }],
  roleRef: { apiGroup: rbac, kind: "Role", name: "system:deployer" },
};

function labelled(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels } };
}

function named(namespace: string, kind: string, name: string, rest: object = {}): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace }, ...rest };
}

const wanted: readonly KubeObject[] = [
  labelled(namespaceObject(shop), web),
  couponKind,
  auditor,
  settings,
  labelled(named(shop, "Secret", "login", { stringData: { user: "on" } }), data),
  labelled(named(shop, "ServiceAccount", "web"), web),
  deployer,
  binding,
  labelled(webDeployment(shop), web),
];

/** Each fails one filter and passes the others. */
const unwanted: readonly KubeObject[] = [
  labelled(namespaceObject("blog"), { team: "shop" }),
  labelled(named("blog", "ConfigMap", "excluded-namespace"), web),
  labelled(named(shop, "ConfigMap", "other-team"), { team: "blog", tier: "web" }),
  labelled(named(shop, "ConfigMap", "no-tier"), { team: "shop" }),
  named(shop, "ConfigMap", "no-labels"),
  labelled(named("elsewhere", "ConfigMap", "other-namespace"), web),
  labelled(
    {
      ...named(shop, "PersistentVolumeClaim", "excluded-type"),
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
    data,
  ),
];

const story: ClusterStory = {
  backup: {
    account: "cluster-dumper",
    params: {
      ANDedLabelSelectors: "team:shop",
      ORedLabelSelectors: "tier:web,tier=data",
      IncludeClusterResources: "true",
      IncludeNamespaces: "shop,blog",
      ExcludeNamespaces: "blog",
      ExcludeResources: "persistentvolumeclaims,replicasets.apps",
    },
  },
  restore: {
    account: "cluster-restorer",
    params: { IncludeClusterResources: "true", IncludeNamespaces: shop, ExcludeResources: "secrets" },
  },
  async fill(world) {
    await world.create(namespaceObject("elsewhere"));
    for (const object of [...accounts, ...wanted, ...unwanted]) await world.create(object);
    await until("the kind Coupon", async () =>
      world.kube.create(coupons, coupon, { manager: "test" }).catch(() => undefined),
    );
  },
  async ruin(world) {
    for (const lost of [namespaceObject(shop), couponKind, auditor])
      await world.kube.delete(resourceFor(lost), { name: lost.metadata.name });
    await until("the end of the shop", async () => {
      const left = [
        await world.kube.get(builtIn.Namespace, { name: shop }),
        await world.kube.get(builtIn.CustomResourceDefinition, { name: couponKind.metadata.name }),
      ];
      return left.every((one) => one === undefined);
    });
  },
};

const tree = [
  "clusterroles.rbac.authorization.k8s.io/cluster/shop-auditor.yaml",
  "configmaps/namespaces/shop/settings.yaml",
  "coupons.shop.example.com/namespaces/shop/spring.yaml",
  "customresourcedefinitions.apiextensions.k8s.io/cluster/coupons.shop.example.com.yaml",
  "deployments.apps/namespaces/shop/web.yaml",
  "namespaces/cluster/shop.yaml",
  "rolebindings.rbac.authorization.k8s.io/namespaces/shop/deployer.yaml",
  "roles.rbac.authorization.k8s.io/namespaces/shop/system:deployer.yaml",
  "secrets/namespaces/shop/login.yaml",
  "serviceaccounts/namespaces/shop/web.yaml",
];

/** Files of the manifest component, as restic alone lists them. */
async function savedTree({ s3, snapshotOf, scheduled }: ClusterFlow): Promise<readonly string[]> {
  const restic = createRestic({ environment: { PATH: process.env["PATH"] ?? "" }, clock: systemClock });
  const saved = {
    url: `s3:${s3.endpoint}/${bucket}/lab/cluster/repository/v1/often/manifest`,
    password,
    environment: { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey },
  };
  const component = field(snapshotOf(scheduled), "status", "components", "manifest");
  const id = String(field(component, "resticStats", 0, "summary", "id"));
  const files: string[] = [];
  for await (const node of restic.list(saved, id))
    if (node.type === "file") files.push(node.path.replace("/kubestash-tmp/manifest/", ""));
  return files.toSorted();
}

const pod = (job: KubeObject | undefined) => field(job, "spec", "template", "spec");

/** How the filters of the task get into the Job. */
function filterRows(flow: () => ClusterFlow): void {
  test("004 B6: a Repository is made from the BackupConfiguration's data, and the parameters of the task are its filters", () => {
    const { history, scheduled } = flow();
    expect(history.last("Repository", vault, repository)?.["spec"]).toMatchObject({
      path: "/cluster",
      storageRef: { name: "store", namespace: vault },
    });
    const live = history.last("BackupConfiguration", vault, "cluster");
    expect(field(live, "status", "repositories", 0)).toMatchObject({ name: repository, phase: "Ready" });
    expect(field(pod(history.of("Job", vault, scheduled)[0]), "containers", 0, "args")).toEqual(
      expect.arrayContaining([
        "--and-label-selectors=team:shop",
        "--or-label-selectors=tier:web,tier=data",
        "--include-cluster-resources=true",
        "--include-namespaces=shop,blog",
        "--exclude-namespaces=blog",
        "--exclude-resources=persistentvolumeclaims,replicasets.apps",
      ]),
    );
  });

  test("004 B12: Addon and Function are resolved into the Job's container", () => {
    const { history, scheduled } = flow();
    const job = history.of("Job", vault, scheduled)[0];
    expect(field(pod(job), "containers", 0)).toMatchObject({
      name: "manifest-backup-0",
      args: expect.arrayContaining(["kubedump-backup", `--backupsession=${scheduled}`]),
    });
    expect(JSON.stringify(job)).not.toContain("${");
    expect(condition(history.last("BackupSession", vault, scheduled), "BackupExecutorEnsured")).toBe(
      "True SuccessfullyEnsuredBackupExecutor",
    );
  });
}

describe.runIf(requireOrSkip("versitygw")).concurrent.each(clusterKinds.filter(({ runs }) => runs))(
  "the flow of filtered cluster resources on $kind",
  ({ kind }) => {
    let begun: ClusterFlow;
    const flow = () => begun;
    beforeAll(async () => {
      begun = await runClusterFlow(kind, story);
    }, 240_000);
    afterAll(async () => {
      await begun?.close();
    });
    commonBackupRows("004", flow);
    commonSessionRows("004", flow);

    filterRows(flow);

    test("004 B13: the Job collects and stores what the filters take, as an account that may read and nothing more", async () => {
      const { history, scheduled } = flow();
      expect(field(pod(history.of("Job", vault, scheduled)[0]), "serviceAccountName")).toBe("cluster-dumper");
      expect(history.of("BackupSession", vault, scheduled).map(phase)).toContain("Running");
      expect(await savedTree(flow())).toEqual(tree);
    });

    test("004 B14: the Job writes the manifest component into the Snapshot", () => {
      const { file, scheduled, snapshotOf } = flow();
      expect(field(snapshotOf(scheduled), "status", "components", "manifest")).toMatchObject({
        path: "repository/v1/often/manifest",
        phase: "Succeeded",
        integrity: true,
        driver: "Restic",
        proof: { objects: tree.length, files: tree.length },
        resticStats: [{ summary: { hostPath: "/kubestash-tmp/manifest" } }],
      });
      expect(phase(snapshotOf(scheduled))).toBe("Succeeded");
      expect(existsSync(file(`cluster/snapshots/${repository}-${scheduled}.yaml`))).toBe(true);
    });

    test("004 R4: the Job applies the manifests, and kinds, roles and objects are there again, but for what is left out", async () => {
      const { history, world } = flow();
      expect(field(pod(history.of("Job", vault, "back")[0]), "serviceAccountName")).toBe("cluster-restorer");
      expect(await world.kube.get(coupons, { namespace: shop, name: "spring" })).toMatchObject({
        metadata: { labels: data },
        percent: 15,
        code: "0x1F",
      });
      for (const { kind: one, metadata, ...content } of [settings, deployer, binding, auditor])
        expect(await world.get(one, metadata.namespace ?? "", metadata.name)).toMatchObject(content);
      expect(await world.get("Deployment", shop, "web")).toMatchObject({ metadata: { labels: web } });
      expect(await world.get("Namespace", "", shop)).toMatchObject({ metadata: { labels: web } });
      expect(await names(world, "Secret")).not.toContain("login");
      expect(await names(world, "ConfigMap")).not.toContain("no-tier");
    });

    commonRestoreRows("004", flow);
  },
);

async function names(world: HoldfastWorld, kind: string): Promise<readonly string[]> {
  return (await world.list(kind, shop)).map(({ metadata }) => metadata.name);
}
