import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { resourceOf } from "../../../src/api/kinds.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import type { KubeConnection } from "../../../src/ports/kube/connect-kube.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type MoverWorld, startMoverWorld } from "./mover-world.ts";

const runs = requireOrSkip("kube-apiserver", "etcd", "kube-controller-manager", "restic");
const roleFile = new URL("../../../schemas/rbac/manifest-roles.yaml", import.meta.url);
const documented = loadAll(readFileSync(roleFile, "utf8")) as readonly Role[];
type Role = { readonly metadata: { readonly name: string }; readonly rules: readonly object[] };

/** What Holdfast itself gives the account of a Job. */
const ofTheJob = [
  { apiGroups: ["core.kubestash.com", "storage.kubestash.com"], resources: ["*"], verbs: ["get", "list"] },
  {
    apiGroups: ["core.kubestash.com", "storage.kubestash.com"],
    resources: ["snapshots/status", "restoresessions/status"],
    verbs: ["get", "patch"],
  },
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["restic-key"], verbs: ["get"] },
];

const labels = { team: "shop" };

let world: MoverWorld;
let shop: string;
let snapshot: string;
beforeAll(async () => {
  if (!runs) return;
  world = await startMoverWorld();
  shop = `shop-${world.tag}`;
  await world.makeNamespace(shop);
  await world.create(builtIn.ConfigMap, {
    metadata: { name: "settings", namespace: shop, labels },
    data: { a: "1" },
  });
  await world.create(builtIn.Role, {
    metadata: { name: "deployer", namespace: shop, labels },
    rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["delete"] }],
  });
  await world.create(builtIn.RoleBinding, {
    metadata: { name: "deployer", namespace: shop, labels },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: shop }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "deployer" },
  });
}, 60_000);
afterAll(async () => {
  await world?.close();
});

function rulesOf(name: string): readonly object[] {
  const role = documented.find(({ metadata }) => metadata.name === name);
  if (role === undefined) throw new Error(`schemas/rbac holds no ${name}`);
  return role.rules;
}

/** An account that is bound to a documented role in the shop alone, and has what its Job has in the vault. */
async function connectTo(name: string): Promise<KubeConnection> {
  const account = `${name}-${world.tag}`;
  const kube = await world.connectAs(ofTheJob, account);
  await world.create(builtIn.RoleBinding, {
    metadata: { name: account, namespace: shop },
    subjects: [{ kind: "ServiceAccount", name: account, namespace: world.vault }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  });
  return kube;
}

async function lose(): Promise<void> {
  await world.kube.delete(builtIn.ConfigMap, { namespace: shop, name: "settings" });
  await world.kube.delete(builtIn.RoleBinding, { namespace: shop, name: "deployer" });
  await world.kube.delete(builtIn.Role, { namespace: shop, name: "deployer" });
}

async function restoreAs(kube: KubeConnection, name: string): Promise<{ code: number; results: unknown }> {
  await world.restore(name);
  const flags = { namespace: world.vault, restoresession: name, snapshot };
  const code = await world.job("kubedump-restore", "manifest", flags, { kube, clock: hurriedClock() });
  const restored = await world.get(resourceOf("RestoreSession"), world.vault, name);
  return { code, results: fieldAt(restored, "status", "components", "manifest", "results") };
}

describe.runIf(runs)("an account for manifests", () => {
  it("that is bound in one namespace saves what is wanted of it", async () => {
    const made = await world.session({ repository: "shop-repo", at: 1000 });
    snapshot = made.snapshot;
    const flags = {
      namespace: world.vault,
      backupsession: made.session,
      "include-namespaces": shop,
      "and-label-selectors": "team:shop",
    };
    const kube = await connectTo("holdfast-manifest-dump");
    expect(await world.job("kubedump-backup", "manifest", flags, { kube })).toBe(0);
    expect((await world.component(snapshot, "manifest")).proof?.objects).toBe(3);
  });

  it("that is bound in one namespace restores it, with roles that hold more than itself", async () => {
    await lose();
    const { code, results } = await restoreAs(await connectTo("holdfast-manifest-restore"), "in-one");
    expect(results).toMatchObject({ created: 3, failed: 0 });
    expect(code).toBe(0);
  });

  it("without bind and escalate restores all but such roles and their bindings, and names them", async () => {
    await lose();
    const [writing = {}] = rulesOf("holdfast-manifest-restore");
    const kube = await world.connectAs([...ofTheJob, writing], `meek-${world.tag}`);
    const { code, results } = await restoreAs(kube, "meek");
    expect(code).toBe(1);
    expect(results).toMatchObject({
      created: 1,
      failed: 2,
      objects: expect.arrayContaining([
        expect.objectContaining({
          type: "roles.rbac.authorization.k8s.io",
          did: "failed",
          reason: expect.stringContaining("attempting to grant RBAC permissions not currently held"),
          names: [`${shop}/deployer`],
        }),
        expect.objectContaining({ type: "rolebindings.rbac.authorization.k8s.io", did: "failed" }),
      ]),
    });
  });
});
