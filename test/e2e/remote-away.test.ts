import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { resourceOf } from "../../src/api/kinds.ts";
import type { KubeObject } from "../../src/api/meta.ts";
import type { PassMemory, PassResult } from "../../src/pass/reconcile.ts";
import { eventually } from "../support/eventually.ts";
import { serveGit } from "../support/git-remote.ts";
import { createGitopsRemote, type GitopsRemote } from "../support/gitops-remote.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { startReaper } from "../support/reaper.ts";
import {
  conditionMessage,
  configuration,
  namespaceObject,
  phase,
  restore,
  settle,
  triggerSession,
} from "./lab.ts";

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Lab = {
  readonly world: HoldfastWorld;
  readonly clock: ManualClock;
  readonly remote: GitopsRemote;
  readonly git: Awaited<ReturnType<typeof serveGit>>;
  /** One pass of one process. */
  pass(): Promise<PassResult>;
  /** Passes until it holds. */
  until(what: string, holds: (last: PassResult) => Promise<boolean> | boolean): Promise<PassResult>;
  /** The process is killed, and another one begins. */
  restart(): void;
};

/** A cluster, a Git server that can be stopped, and a process whose time stands still. */
async function openLab(): Promise<Lab> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-away-"));
  closing.push(() => rmSync(home, { recursive: true, force: true }));
  const remote = createGitopsRemote(home);
  remote.git("config", "http.receivepack", "true");
  remote.git("config", "uploadpack.allowFilter", "true");
  const git = await serveGit(home);
  closing.push(() => git.stop().catch(() => undefined));
  const clock = manualClock(Date.now());
  const world = await openWorld({ clock, remote, url: `${git.url}/remote.git` });
  closing.push(() => world.close());
  let previous: PassMemory | undefined;
  let runs = 0;
  const pass = async () => {
    const result = await world.pass({ instance: `run-${runs}`, flush: true, ...(previous && { previous }) });
    previous = result.memory;
    return result;
  };
  return {
    world,
    clock,
    remote,
    git,
    pass,
    async until(what, holds) {
      for (let passes = 0; passes < 300; passes += 1) {
        const last = await pass();
        if (await holds(last)) return last;
        await pause(100);
      }
      throw new Error(`it never came to it: ${what}`);
    },
    restart() {
      runs += 1;
      previous = undefined;
    },
  };
}

async function outbox({ world }: Lab): Promise<readonly KubeObject[]> {
  return (await world.list("ConfigMap", "holdfast")).filter((one) => one.metadata.name.startsWith("outbox-"));
}

function atRest({ plan, recorded }: PassResult): boolean {
  return plan.steps.length === 0 && plan.waiting.length === 0 && recorded.kind === "nothing";
}

async function ended({ world }: Lab, namespace: string, name: string): Promise<boolean> {
  return phase(await world.get("BackupSession", namespace, name)) === "Succeeded";
}

/** Two configurations, one of them in a namespace of its own, with their initial backups recorded. */
async function twoBackups(lab: Lab): Promise<void> {
  await settle(lab.world);
  await lab.world.create(namespaceObject("doomed"));
  lab.remote.commit("Back up from another namespace", {
    "clusters/lab/doomed.yaml": configuration({
      namespace: "doomed",
      name: "doomed-app",
      repository: "doomed-app",
      directory: "/doomed",
    }),
  });
  await lab.until("both initial backups are recorded", atRest);
}

function told({ remote }: Lab, start: string): number {
  return remote.recordLog().filter((line) => line.startsWith(start)).length;
}

const runs = requireOrSkip("restic", "git");

test.runIf(runs)(
  "with the remote away backups go on, a deleted namespace goes, and everything is recorded once when it is back",
  async () => {
    const lab = await openLab();
    const { world, clock, remote, git } = lab;
    await twoBackups(lab);
    const before = remote.recordLog().length;
    const sessionsBefore = [told(lab, "backup vault/app-manifests"), told(lab, "backup doomed/doomed-app")];

    await git.stop();
    const first = await lab.pass();
    expect(first.problems).toContainEqual(
      expect.objectContaining({ reason: "RemoteAway", severity: "error" }),
    );
    const kept = await triggerSession(world);
    const lost = await triggerSession(world, "doomed", "doomed-app");
    const held = async () => (await ended(lab, "vault", kept)) && ended(lab, "doomed", lost);
    await lab.until("both backups ran", held);
    await lab.until("they say what they wait for", async () =>
      (conditionMessage(await world.get("BackupSession", "vault", kept), "RemoteAway") ?? "").includes(
        "its entry waits for it",
      ),
    );
    expect(await outbox(lab)).toEqual([]);

    await world.kube.delete(builtIn.Namespace, { name: "doomed" });
    await lab.until(
      "the namespace goes",
      async () => (await world.get("Namespace", "", "doomed")) === undefined,
    );
    const paths = (await outbox(lab)).map((map) => String((map["data"] as Record<string, string>)["path"]));
    expect(paths.some((path) => path.endsWith(`/${lost}.yaml`))).toBe(true);

    clock.advance(600_000);
    lab.restart();
    await world.kube.delete(resourceOf("RetentionPolicy"), { namespace: "vault", name: "keep" });
    await lab.until("the other session is let go", async () => {
      const session = await world.get("BackupSession", "vault", kept);
      return session?.metadata.finalizers?.includes("holdfast.dev/record") === false;
    });
    expect(conditionMessage(await world.get("BackupSession", "vault", kept), "RemoteAway")).toContain(
      "its entry waits in the outbox",
    );
    expect(await world.get("RetentionPolicy", "vault", "keep")).toBeDefined();
    expect(atRest({ ...(await lab.pass()), recorded: { kind: "nothing" } })).toBe(true);
    expect(remote.recordLog()).toHaveLength(before);

    await git.start();
    clock.advance(15_000);
    await lab.until("the outbox is empty", async (last) => atRest(last) && (await outbox(lab)).length === 0);
    expect([told(lab, "backup vault/app-manifests"), told(lab, "backup doomed/doomed-app")]).toEqual(
      sessionsBefore.map((count) => count + 1),
    );
    const files = remote.git("ls-tree", "-r", "--name-only", "holdfast-record");
    expect(files).toContain(`/${kept}.yaml`);
    expect(files).toContain(`/${lost}.yaml`);
    expect(files).not.toContain("RemoteAway");
    expect(remote.git("grep", "-c", "Succeeded", "holdfast-record", "--", `*${lost}.yaml`)).not.toBe("");
    expect(conditionMessage(await world.get("BackupSession", "vault", kept), "RemoteAway")).toBeUndefined();
    remote.git("fsck", "--strict");
  },
);

test.runIf(runs)(
  "with the remote away a restore that is not claimed waits, and runs once when the remote is back",
  async () => {
    const lab = await openLab();
    const { world, remote, git, clock } = lab;
    await settle(world);
    await lab.until("the initial backup is recorded", atRest);
    await world.create({ ...restore("back"), metadata: { name: "back", namespace: "vault" } });
    await git.stop();
    await lab.until("it says what it waits for", async () =>
      (conditionMessage(await world.get("RestoreSession", "vault", "back"), "RemoteAway") ?? "").includes(
        "its claim",
      ),
    );
    lab.restart();
    const away = await lab.pass();
    expect(away.recorded.kind).toBe("away");
    expect(phase(await world.get("RestoreSession", "vault", "back"))).toBe("Pending");
    await git.start();
    clock.advance(15_000);
    await lab.until("it ran", atRest);
    expect(phase(await world.get("RestoreSession", "vault", "back"))).toBe("Succeeded");
    expect(remote.recordLog().filter((line) => line.startsWith("restore vault/back"))).toHaveLength(2);
  },
);

const entry = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));

/** `holdfast controller` as a process; answers how to kill it, which answers what it logged. */
function controller({ world, git }: Lab): () => Promise<string> {
  const url = `${git.url}/remote.git`;
  const args = ["controller", "--remote", url, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath];
  const env = { ...process.env, XDG_CACHE_HOME: join(world.home, "of-the-controller") };
  const child = spawn(process.execPath, [entry, ...args], { stdio: ["ignore", "ignore", "pipe"], env });
  const reaper = startReaper();
  reaper.watchProcess(child);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
    return log;
  };
  closing.push(async () => {
    await kill();
    await reaper.close();
  });
  return kill;
}

test.runIf(runs)(
  "kill -9 right after an entry is in the outbox, and right after it is pushed, doubles nothing",
  async () => {
    const lab = await openLab();
    const { world, git } = lab;
    const backups = async () => told(lab, "backup doomed/doomed-app");
    await twoBackups(lab);
    const before = await backups();
    await git.stop();
    let kill = controller(lab);
    const session = await triggerSession(world, "doomed", "doomed-app");
    await eventually(async () => expect(await ended(lab, "doomed", session)).toBe(true), 60_000);
    await world.kube.delete(builtIn.Namespace, { name: "doomed" });
    await eventually(async () => expect(await outbox(lab)).not.toEqual([]), 60_000);
    expect((await kill()).match(/"reason":"RemoteAway"/g)).toHaveLength(1);
    const status = await holdfast(["status", "--kubeconfig", world.kubeconfigPath]);
    expect(status.code).toBe(1);
    expect(status.stdout).toMatch(
      /The remote of lab is away since \S+Z: .*\nEntries that wait for it in the outbox: [1-9]/,
    );

    kill = controller(lab);
    await eventually(async () => expect(await world.get("Namespace", "", "doomed")).toBeUndefined(), 60_000);
    await kill();
    await git.start();
    kill = controller(lab);
    await eventually(async () => expect(await backups()).toBe(before + 1), 60_000);
    await kill();

    kill = controller(lab);
    await eventually(async () => expect(await outbox(lab)).toEqual([]), 60_000);
    await kill();
    expect(await backups()).toBe(before + 1);
    expect(lab.remote.git("ls-tree", "-r", "--name-only", "holdfast-record")).toContain(`/${session}.yaml`);
  },
);
