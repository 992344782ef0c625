import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Exchange } from "../../support/reverse-proxy.ts";
import { compiledOnce, entry, type FaultWorld } from "./fault-world.ts";
import type { KillPoint, Victim } from "./kill-points.ts";

/** How a seed bends a kill: how long after the sign it comes, and whether its whole process group dies. */
export type Bend = { readonly delayMs: number; readonly group: boolean };

/** Seed 0 kills at once, and one process alone. */
export function bendOf(seed: number): Bend {
  // Good enough to differ, and the same on every machine.
  const mixed = (Math.imul(seed, 2_654_435_761) >>> 8) % 400;
  return { delayMs: mixed, group: seed % 2 === 1 };
}

/** Waits for the point's sign and kills. */
export type Trap = {
  /** Whether somebody has died of it, or is dying: then at its death. */
  readonly sprung: () => Promise<boolean>;
  readonly disarm: () => void;
};

type Bait = {
  readonly world: FaultWorld;
  readonly point: KillPoint;
  readonly bend: Bend;
  /** The process of `holdfast run`, where it is the one to die. */
  readonly running: () => ChildProcess | undefined;
};

export function setTrap(bait: Bait): Trap {
  const { at } = bait.point;
  if (at.on === "git") return hookTrap(bait, at);
  if (at.on === "restic") return orderTrap(bait, at.command);
  return requestTrap(bait, at);
}

function requestTrap(
  { world, point, bend, running }: Bait,
  at: Extract<KillPoint["at"], { when: string }>,
): Trap {
  let deaths = 0;
  const proxy = at.on === "api" ? world.api : world.store;
  let left = at.nth ?? 1;
  // A request that was carried out may be the last that the next pass waits for: it ends while its sender lives.
  let dying = Promise.resolve();
  const spring = async (exchange: Exchange) => {
    if (at.when === "after") await exchange.carryOut();
    await sleep(bend.delayMs);
    deaths += killAll(pidsOf(world, point.dies, running()), bend.group && point.dies !== "run");
    // Who was not meant goes on.
    if (at.by !== point.dies && at.when === "before") exchange.pass();
    else exchange.response.destroy();
  };
  proxy.intercept = (exchange) => {
    const fits = left > 0 && isBy(exchange, at.by) && at.request.test(`${exchange.method} ${exchange.path}`);
    if (!fits || --left > 0) return exchange.pass();
    dying = spring(exchange);
    return dying;
  };
  return {
    sprung: async () => {
      await dying;
      return deaths > 0;
    },
    disarm() {
      proxy.intercept = undefined;
    },
  };
}

/** A hook of the remote, which Git runs before it takes a push, while the ref moves, or after it. */
function hookTrap({ world, bend, running }: Bait, at: Extract<KillPoint["at"], { on: "git" }>): Trap {
  const folder = join(world.home, "trap");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const name = at.hook === "prepared" ? "reference-transaction" : at.hook;
  const hook = join(world.remote.bare, "hooks", name);
  // The pid is asked for when the process runs; a push that is refused was never taken. Whoever waits for the death
  // may look before this script goes on, so the sign comes first.
  const script = `#!/bin/sh
[ "${name}" != reference-transaction ] || [ "$1" = prepared ] || exit 0
[ ! -e "${folder}/sprung" ] || exit 0
echo x >> "${folder}/seen"
[ "$(wc -l < "${folder}/seen")" -ge ${at.nth ?? 1} ] || exit 0
sleep ${bend.delayMs / 1000}
touch "${folder}/sprung"
kill -9 "$(cat "${folder}/pid")" || rm "${folder}/sprung"
exit ${at.hook === "pre-receive" ? 1 : 0}
`;
  writeFileSync(hook, script);
  chmodSync(hook, 0o755);
  writeFileSync(join(folder, "pid"), String(running()?.pid));
  return {
    sprung: async () => existsSync(join(folder, "sprung")),
    disarm: () => rmSync(hook, { force: true }),
  };
}

function orderTrap({ world, point, bend }: Bait, command: string): Trap {
  const order = join(world.bin, "orders", command);
  const taken = join(world.bin, "orders", `taken-${command}`);
  rmSync(taken, { force: true });
  writeFileSync(order, point.dies === "restic" ? "self" : bend.group ? "group" : "parent");
  return {
    sprung: async () => existsSync(taken),
    disarm: () => rmSync(order, { force: true }),
  };
}

function isBy({ agent }: Exchange, who: Victim): boolean {
  if (who === "restic") return agent.startsWith("MinIO");
  // The SDK of object stores has a name of its own, for whoever uses it.
  return agent.startsWith("aws-sdk-js") || agent.startsWith(who === "run" ? "holdfast/" : "holdfast-mover/");
}

function pidsOf(world: FaultWorld, who: Victim, running: ChildProcess | undefined): readonly number[] {
  if (who === "mover") return world.movers();
  if (who === "restic") return world.restics();
  return running?.pid === undefined ? [] : [running.pid];
}

function killAll(pids: readonly number[], group: boolean): number {
  return pids.filter((pid) => {
    try {
      process.kill(group ? -pid : pid, "SIGKILL");
      return true;
    } catch {
      return false;
    }
  }).length;
}

export type RunningCommand = {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly signal: NodeJS.Signals | null; readonly words: string }>;
};

/** `holdfast run` as a process of its own, through the proxies. */
export function startRun(world: FaultWorld): RunningCommand {
  const args = [
    "run",
    "--remote",
    world.remote.bare,
    "--cluster",
    "lab",
    "--kubeconfig",
    world.kubeconfigPath,
  ];
  const child = spawn(process.execPath, [entry, ...args, "--timeout", "120s"], {
    env: { ...process.env, XDG_CACHE_HOME: join(world.home, "run-cache"), ...compiledOnce(world.home) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  world.reaper.watchProcess(child);
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
  const ended = new Promise<{ signal: NodeJS.Signals | null; words: string }>((resolve) =>
    child.once("close", (_code, signal) => resolve({ signal, words })),
  );
  return { child, ended };
}
