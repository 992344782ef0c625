import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { ulid } from "ulid";
import { builtIn } from "../src/api/built-in.ts";
import type { KubeObject, Resource } from "../src/api/meta.ts";
import { systemClock } from "../src/base/clock.ts";
import { digestOf } from "../src/base/digest.ts";
import { type PassPorts, type PassResult, reconcile } from "../src/pass/reconcile.ts";
import { openRemote } from "../src/ports/git/open-remote.ts";
import { connectKube } from "../src/ports/kube/connect-kube.ts";
import type { Kube } from "../src/ports/kube/kube.ts";
import { openObjects } from "../src/ports/objects/open-objects.ts";
import { planText } from "../src/shells/cli/render-plan.ts";
import { runController } from "../src/shells/controller/run-controller.ts";
import { image } from "../src/shells/image.ts";
import { startLocalCluster } from "../src/shells/local-cluster.ts";
import { passLines } from "../src/shells/run-log.ts";
import { runToEnd } from "../src/shells/run-to-end.ts";
import { version } from "../src/shells/version.ts";
import { Checks } from "./demo/checks.ts";
import { couponObjects, fingerprints, shopObjects, writeFiles } from "./demo/shop.ts";
import { Stage } from "./demo/stage.ts";
import { ensureRestic } from "./ensure-restic.ts";

const keep = process.argv.includes("--keep");
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());
/** The whole promise on one machine: from a commit to a recorded backup, a disaster, and a recorded restore. */
async function demo(): Promise<number> {
  const stage = new Stage(process.stdout);
  const checks = new Checks(stage);
  const home = mkdtempSync(join(tmpdir(), "holdfast-demo-"));
  await ensureRestic((line) => stage.line(line));
  stage.title("A Git repository, as a user's would be, and an embedded Kubernetes");
  const git = makeRepository(home, stage);
  const cluster = await startLocalCluster({ state: join(home, "cluster"), signal: interrupt.signal });
  try {
    const kube = await connectKube({ kubeconfigPath: cluster.kubeconfigPath });
    const ports: PassPorts = {
      kube,
      openObjects,
      version,
      clock: systemClock,
      remote: openRemote({ url: git.bare, cacheDirectory: join(home, "cache") }),
      signal: interrupt.signal,
    };
    await tell(ports, kube, { stage, checks, git });
    if (keep) await stayUp(ports, { stage, home, git, kubeconfig: cluster.kubeconfigPath });
  } finally {
    await cluster.close();
    if (keep) stage.line(`Everything of it stays in ${home}; delete that folder when you are done.`);
    else rmSync(home, { recursive: true, force: true });
  }
  stage.line(
    checks.failed === 0
      ? `All ${checks.passed} checks passed.`
      : `${checks.failed} of ${checks.failed + checks.passed} checks failed.`,
  );
  return checks.failed === 0 ? 0 : 1;
}

type Git = {
  readonly bare: string;
  readonly tree: string;
  commit(message: string): void;
  log(): string;
  told(): string;
  tip(): string;
};
type Show = { readonly stage: Stage; readonly checks: Checks; readonly git: Git };

const request = { cluster: "demo", branch: "main", instance: ulid(), image: image(), version };

async function tell(ports: PassPorts, kube: Kube, show: Show): Promise<void> {
  const { stage, checks, git } = show;
  await deployShop(kube, stage);
  const files = await volumeOf(kube);
  writeFiles(files);
  const before = { files: fingerprints(files), objects: await shopState(kube) };

  stage.title("What Holdfast would do with the first commit");
  await showPlan(ports, stage);
  stage.title("Doing it: storage, repositories, schedules, the first backups");
  await pass(ports, stage);
  checks.that(
    "the record has a commit for each backup",
    /backup shop\/shop-data: Succeeded/.test(git.told()) &&
      /backup vault\/shop-manifests: Succeeded/.test(git.told()),
  );
  stage.block(git.log());
  const tip = git.tip();
  await pass(ports, stage);
  checks.that("a second run changes nothing and makes no commit", git.tip() === tip);

  stage.title("Disaster: the namespace and its volume are gone");
  await ruin(ports, stage);
  checks.that("the files are gone from the disk", !existsSync(files));

  stage.title("A commit that declares two restores, and what it would do");
  mkdirSync(join(git.tree, "clusters/demo/restores"), { recursive: true });
  for (const name of ["shop-manifests-back.yaml", "shop-data-back.yaml"])
    cpSync(join(git.tree, "restores", name), join(git.tree, "clusters/demo/restores", name));
  git.commit("Bring the shop back");
  await showPlan(ports, stage);
  stage.title("Restoring");
  await pass(ports, stage);

  stage.title("Proof");
  const back = await volumeOf(kube);
  checks.same("every file is back, byte for byte and with its mode", fingerprints(back), before.files);
  checks.same("every manifest is back", await shopState(kube), before.objects);
  checks.that(
    "the record tells of both restores",
    /restore vault\/shop-manifests-back: Succeeded/.test(git.told()) &&
      /restore shop\/shop-data-back: Succeeded/.test(git.told()),
  );
  checks.that(
    "git fsck --strict finds nothing",
    execFileSync("git", ["-C", git.bare, "fsck", "--strict"], { encoding: "utf8" }) === "",
  );
  stage.block(git.log());
}

function makeRepository(home: string, stage: Stage): Git {
  const bare = join(home, "gitops.git");
  const tree = join(home, "gitops");
  const run = (args: readonly string[], cwd = tree) =>
    execFileSync("git", ["-c", "user.name=You", "-c", "user.email=you@example.com", ...args], {
      cwd,
      encoding: "utf8",
    });
  run(["init", "--quiet", "--bare", "--initial-branch=main", bare], home);
  cpSync(new URL("../examples/gitops-repo", import.meta.url), tree, { recursive: true });
  const storage = join(tree, "clusters/demo/storage/backup-storage.yaml");
  writeFileSync(
    storage,
    readFileSync(storage, "utf8").replace("/var/lib/holdfast/backups", join(home, "backups")),
  );
  run(["init", "--quiet", "--initial-branch=main"]);
  run(["remote", "add", "origin", bare]);
  const commit = (message: string) => {
    run(["add", "--all"]);
    run(["commit", "--quiet", "--message", message]);
    run(["push", "--quiet", "origin", "main"]);
    stage.line(`committed: ${message}`);
  };
  commit("Declare the backups of the shop");
  const log = () => run(["-C", bare, "log", "--format=%h %s", "holdfast-record"]);
  // Two things that end in one pass share a commit: its body names both.
  const told = () => run(["-C", bare, "log", "--format=%B", "holdfast-record"]);
  return {
    bare,
    tree,
    commit,
    log,
    told,
    tip: () => run(["-C", bare, "rev-parse", "holdfast-record"]).trim(),
  };
}

async function deployShop(kube: Kube, stage: Stage): Promise<void> {
  const password = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "restic-password", namespace: "vault" },
    stringData: { RESTIC_PASSWORD: ulid() },
  };
  const vault = { apiVersion: "v1", kind: "Namespace", metadata: { name: "vault" } };
  for (const object of [vault, password, ...manifestAccounts(), ...shopObjects()])
    await kube.create(resourceFor(object), object, { manager: "demo" });
  for (const object of couponObjects())
    await eventually(() => kube.create(coupons, object, { manager: "demo" }), "the kind Coupon");
  stage.line(
    "The shop runs: a Deployment with a volume, a ConfigMap, a Secret, and coupons of its own kind.",
  );
}

/** As the example's README has a person apply them. */
function manifestAccounts(): readonly KubeObject[] {
  const file = new URL("../examples/gitops-repo/manifest-accounts.yaml", import.meta.url);
  return loadAll(readFileSync(file, "utf8")) as KubeObject[];
}

const coupons: Resource = {
  group: "shop.example.com",
  version: "v1",
  kind: "Coupon",
  plural: "coupons",
  namespaced: true,
};

function resourceFor(object: KubeObject): Resource {
  const found = Object.values(builtIn).find((one) => one.kind === object.kind);
  if (found === undefined) throw new Error(`no resource for ${object.kind}`);
  return found;
}

/** Directory of the shop's volume on this machine. */
async function volumeOf(kube: Kube): Promise<string> {
  return eventually(async () => {
    const claim = await kube.get(builtIn.PersistentVolumeClaim, { namespace: "shop", name: "web-data" });
    const name = text(claim, "spec", "volumeName");
    const volume = await kube.get(builtIn.PersistentVolume, { name });
    return text(volume, "spec", "hostPath", "path");
  }, "the shop's volume");
}

function text(object: unknown, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (at, name) =>
      typeof at === "object" && at !== null ? Object.getOwnPropertyDescriptor(at, name)?.value : undefined,
    object,
  );
  if (typeof value !== "string" || value === "") throw new Error(`${path.join(".")} is not there yet`);
  return value;
}

async function eventually<T>(work: () => Promise<T>, what: string): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 100 || interrupt.signal.aborted)
        throw new Error(`${what} did not come`, { cause: error });
      await systemClock.sleep(100, interrupt.signal);
    }
  }
}

/** What a person would compare: everything of the shop that people wrote. */
async function shopState(kube: Kube): Promise<ReadonlyMap<string, string>> {
  const names: readonly (readonly [Resource, string])[] = [
    [builtIn.ConfigMap, "web-config"],
    [builtIn.Secret, "web-session-key"],
    [builtIn.Deployment, "web"],
    [coupons, "spring"],
    [coupons, "summer"],
  ];
  const state = await Promise.all(
    names.map(async ([resource, name]) => {
      const object = await kube.get(resource, { namespace: "shop", name });
      const written = { data: object?.["data"], spec: object?.["spec"], type: object?.["type"] };
      return [`${resource.kind} ${name}`, digestOf(written)] as const;
    }),
  );
  return new Map(state);
}

async function ruin(ports: PassPorts, stage: Stage): Promise<void> {
  const { kube } = ports;
  await kube.delete(builtIn.Namespace, { name: "shop" }, { propagation: "Background" });
  await kube.delete(builtIn.CustomResourceDefinition, { name: "coupons.shop.example.com" });
  await eventually(async () => {
    // Our own objects in the namespace hold finalizers, which a pass lets go; their data stays.
    await reconcile(ports, { ...request, flush: false });
    if ((await kube.get(builtIn.Namespace, { name: "shop" })) !== undefined)
      throw new Error("it is still there");
  }, "the end of the namespace");
  stage.line("kubectl delete namespace shop; kubectl delete crd coupons.shop.example.com");
}

async function showPlan(ports: PassPorts, stage: Stage): Promise<void> {
  const { plan, problems } = await reconcile(ports, { ...request, flush: false, planOnly: true });
  stage.block(planText(plan, problems));
}

async function pass(ports: PassPorts, stage: Stage): Promise<void> {
  const onPass = (result: PassResult) => {
    for (const line of passLines(result)) stage.line(`  ${line}`);
    stage.progress(result.plan.waiting.join(", "));
  };
  const { end, problems } = await runToEnd(ports, request, { timeoutMs: 120_000, onPass });
  stage.progress("");
  for (const problem of problems.filter((one) => one.severity === "error"))
    stage.line(`  error: ${problem.object ?? ""} ${problem.message}`);
  if (end === "timeout") throw new Error("it took longer than two minutes");
  if (problems.some((one) => one.severity === "error")) throw new Error("the run ended with errors");
}

type Staying = {
  readonly stage: Stage;
  readonly home: string;
  readonly git: Git;
  readonly kubeconfig: string;
};

async function stayUp(ports: PassPorts, { stage, home, git, kubeconfig }: Staying): Promise<void> {
  stage.title("It stays up until Ctrl-C. Look around:");
  stage.block(
    [
      `export KUBECONFIG=${kubeconfig}`,
      "kubectl get backupstorages,backupconfigurations,backupsessions,snapshots,restoresessions -A",
      `git -C ${git.bare} log -p holdfast-record`,
      "export RESTIC_PASSWORD=$(kubectl -n vault get secret restic-password -o jsonpath='{.data.RESTIC_PASSWORD}' | base64 -d)",
      `restic -r ${home}/backups/shop/data/repository/v1/hourly/dump snapshots`,
      `cd ${git.tree}    # change something, commit, git push origin main`,
    ].join("\n"),
  );
  await runController(ports, request);
}

process.exitCode = await demo();
