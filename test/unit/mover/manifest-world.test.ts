import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { restoreParams } from "../../../src/api/manifest-params.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { parseFlags } from "../../../src/mover/job-flags.ts";
import { kubedumpRestoreFlags } from "../../../src/mover/kubedump-restore.ts";
import { dumpManifests } from "../../../src/mover/manifests/dump-manifests.ts";
import { filterOf } from "../../../src/mover/manifests/manifest-filter.ts";
import { walkTree } from "../../../src/mover/manifests/manifest-tree.ts";
import { restoreManifests } from "../../../src/mover/manifests/restore-manifests.ts";
import { fieldAt } from "../../../src/mover/storage/fields.ts";
import { type ServedWorld, serveWorld, worldFolder, worldObjects } from "../../support/manifest-world.ts";

type Params = Readonly<Record<string, string>>;

const everyTree = join(worldFolder, "tree");
let world: ServedWorld;
let folder: string;
beforeEach(async () => {
  world = await serveWorld();
  folder = await mkdtemp(join(tmpdir(), "holdfast-world-"));
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

function flagsOf(params: Params) {
  const args = Object.entries(params).map(([name, value]) => `--${name}=${value}`);
  return parseFlags("kubedump-restore", args, kubedumpRestoreFlags);
}

async function filesOf(tree: string): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { file } of walkTree(tree)) files.push(file.slice(tree.length + 1));
  return files.toSorted();
}

function linesOf(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

async function dump(params: Params): Promise<readonly string[]> {
  const tree = join(folder, "manifest");
  const signal = AbortSignal.timeout(20_000);
  const filter = filterOf(flagsOf(params));
  const { files, missing } = await dumpManifests({ kube: world.kube, filter, tree, log: () => {}, signal });
  const found = await filesOf(tree);
  expect(missing).toEqual([]);
  expect(files).toBe(found.length);
  return found;
}

const dumps: Readonly<Record<string, Params>> = {
  "no parameter": {},
  "cluster resources": { "include-cluster-resources": "true" },
  stars: {
    "include-namespaces": "*",
    "include-resources": "secrets,*",
    "exclude-namespaces": "*",
    "exclude-resources": "*",
  },
  "a namespace": { "include-namespaces": "shop" },
  "two namespaces, one left out": { "include-namespaces": "vault,shop", "exclude-namespaces": "shop" },
  "namespaces left out": { "exclude-namespaces": "kube-system,shop-staging,nowhere" },
  "short names": { "include-resources": "deployments,pods" },
  "names with a group": { "include-resources": "statefulsets.apps,widgets.example.com,pods.metrics.k8s.io" },
  "names left out": { "exclude-resources": "pods,replicasets.apps,Secrets" },
  "left out beats taken": { "include-resources": "secrets,configmaps", "exclude-resources": "secrets" },
  "cluster resources by name": {
    "include-cluster-resources": "true",
    "include-resources": "clusterroles,customresourcedefinitions.apiextensions.k8s.io,configmaps",
    "include-namespaces": "vault",
  },
  "cluster resources without the flag": { "include-resources": "clusterroles,realms.example.com,roles" },
  "what is never saved": {
    "include-cluster-resources": "true",
    "include-resources": "nodes,endpointslices.discovery.k8s.io,componentstatuses",
  },
  "a label": { "and-label-selectors": "kubernetes.io/part-of" },
  "a label's value": { "and-label-selectors": "app:web", "include-cluster-resources": "true" },
  "an empty value": { "and-label-selectors": "app=" },
  "all of several": { "and-label-selectors": "app in (web,db),tier=back,kubernetes.io/part-of" },
  "without a label": { "and-label-selectors": "!app", "include-namespaces": "shop,vault" },
  "other than a value": { "and-label-selectors": "app!=web,app notin (db)", "include-namespaces": "shop" },
  "any of several": { "or-label-selectors": "app==migrate,tier:back", "include-cluster-resources": "true" },
  "any, one of them without": {
    "or-label-selectors": "app=web,!tier",
    "include-namespaces": "vault,kube-system",
  },
  "all and any": { "and-label-selectors": "app", "or-label-selectors": "tier=back,app in (agent,once)" },
  "an application's usual choice": {
    "include-namespaces": "shop",
    "exclude-resources": "pods,replicasets.apps,events",
    "and-label-selectors": "app",
  },
};

test.each(Object.entries(dumps))("a dump with %s takes what the golden list says", async (name, params) => {
  const files = await dump(params);
  const golden = join(worldFolder, "dump", `${name.replaceAll(/[^a-z]+/g, "-")}.txt`);
  await expect(linesOf(files)).toMatchFileSnapshot(golden);
});

test("a dump of everything is the golden tree, file by file", async () => {
  expect(worldObjects).toHaveLength(60);
  const files = await dump({ "include-cluster-resources": "true" });
  for (const file of files) {
    const text = await readFile(join(folder, "manifest", file), "utf8");
    await expect(text).toMatchFileSnapshot(join(everyTree, file));
  }
  expect(await filesOf(everyTree)).toEqual(files);
});

const restores: Readonly<Record<string, Params>> = {
  "no parameter": {},
  "cluster resources": { "include-cluster-resources": "true" },
  volumes: { "include-cluster-resources": "true", "restore-pvs": "true", "include-namespaces": "shop" },
  "other classes": {
    "include-cluster-resources": "true",
    "restore-pvs": "true",
    "storage-class-mappings": "gp2=standard,slow=fast",
    "include-resources": "persistentvolumes,persistentvolumeclaims",
  },
  "a part": {
    "include-namespaces": "shop",
    "include-cluster-resources": "false",
    "exclude-resources": "pods,replicasets.apps",
    "storage-class-mappings": "gp2=standard",
    "override-resources": "false",
  },
  labels: {
    "and-label-selectors": "tier notin (front)",
    "or-label-selectors": "app,!kubernetes.io/part-of",
    "exclude-namespaces": "kube-system",
  },
};

test.each(Object.entries(restores))(
  "a restore with %s does to each object what the golden list says",
  async (name, params) => {
    const flags = flagsOf(params);
    const lines: string[] = [];
    await restoreManifests({
      kube: world.kube,
      clock: systemClock,
      filter: filterOf(flags),
      tree: everyTree,
      override: flags.read(restoreParams.override),
      prepare: {
        restorePVs: flags.read(restoreParams.restorePVs),
        storageClasses: flags.read(restoreParams.storageClasses),
      },
      onOutcome: ({ type, namespace, name: own, did, reason }) => {
        const place = namespace === undefined ? own : `${namespace}/${own}`;
        lines.push(`${did} ${type} ${place}${reason === undefined ? "" : `: ${reason}`}`);
      },
      log: () => {},
      signal: AbortSignal.timeout(20_000),
    });
    for (const object of world.created) {
      const storageClass = fieldAt(object, "spec", "storageClassName");
      if (storageClass !== undefined)
        lines.push(`${object.kind} ${object.metadata.name} is of class ${String(storageClass)}`);
    }
    const golden = join(worldFolder, "restore", `${name.replaceAll(/[^a-z]+/g, "-")}.txt`);
    await expect(linesOf(lines.toSorted())).toMatchFileSnapshot(golden);
  },
);
