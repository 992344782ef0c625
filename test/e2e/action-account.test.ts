import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { afterEach, describe, expect, test } from "vitest";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { kubeconfigOf } from "../support/kube-apiserver.ts";
import { pathOf, requireOrSkip } from "../support/real-parts.ts";
import { field, settle } from "./lab.ts";

const account = fileURLToPath(new URL("../../examples/gitops-repo/plan-account.yaml", import.meta.url));
const parts = ["git", "kubectl", "kube-apiserver", "etcd", "kube-controller-manager"] as const;

describe.runIf(requireOrSkip(...parts))("the example's account for plans", () => {
  let world: HoldfastWorld;

  afterEach(async () => {
    await world?.close();
  });

  test("sees the plan that the operator sees, and can carry out none of it", async () => {
    world = await openWorld({ kind: "kube-apiserver" });
    await settle(world);
    // Until a Job is next, so that what is observed counts as well as what is declared.
    for (let passes = 0; passes < 5 && !(await plansJob()); passes += 1) await world.pass();
    const plan = (kubeconfig: string) => command("plan", kubeconfig);
    const asOperator = await plan(world.kubeconfigPath);
    const stranger = planAccount();
    const asAccount = await plan(stranger);
    expect([asAccount.code, asAccount.stderr]).toEqual([0, ""]);
    expect(asAccount.stdout).toBe(asOperator.stdout);
    expect(asAccount.stdout).toMatch(/create Job vault\//);

    const run = await command("run", stranger, "--timeout", "5s");
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/forbidden/i);
    expect(await world.list("Job", "vault")).toEqual([]);
    expect(world.remote.recordTip()).toBeUndefined();
  });

  const plansJob = async () =>
    (await world.pass({ planOnly: true })).plan.steps.some(
      (step) => step.kind === "create" && step.object.kind === "Job",
    );

  const command = (name: string, kubeconfig: string, ...more: readonly string[]) =>
    holdfast([name, "--remote", world.remote.bare, "--cluster", "lab", "--kubeconfig", kubeconfig, ...more]);

  /** Applies the example and answers a kubeconfig of its account. */
  function planAccount(): string {
    const kubectl = (...args: readonly string[]) =>
      execFileSync(pathOf("kubectl"), ["--kubeconfig", world.kubeconfigPath, ...args], { encoding: "utf8" });
    kubectl("apply", "--filename", account);
    const token = kubectl("--namespace=vault", "create", "token", "holdfast-plan").trim();
    const cluster = field(load(readFileSync(world.kubeconfigPath, "utf8")), "clusters", 0, "cluster");
    const ca = Buffer.from(String(field(cluster, "certificate-authority-data")), "base64").toString();
    const path = join(world.home, "plan-kubeconfig");
    writeFileSync(path, kubeconfigOf({ url: String(field(cluster, "server")), ca, token }));
    return path;
  }
});
