import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtIn } from "../../../src/api/built-in.ts";
import { eventually } from "../../support/eventually.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { startToxiproxy, type Toxic, type Toxiproxy } from "../../support/toxiproxy.ts";
import { conditionMessage, configuration, field, phase, restore, retentionPolicy } from "../lab.ts";
import { furnish, objectStore, retried, settings, trigger } from "./fault-lab.ts";
import { type FaultWorld, openFaultWorld } from "./fault-world.ts";
import { checkBackupLaws, checkRest, sessionsOf } from "./laws.ts";

const seeds = Number(process.env["HOLDFAST_FAULT_SEEDS"] ?? 0);

let world: FaultWorld;
let toxic: Toxiproxy;

const tooBusy = { status: 503, code: "SlowDown", message: "Please reduce your request rate." };
const forbidden = { status: 403, code: "AccessDenied", message: "Access Denied." };

/** Answers requests that fit in this way, so many of them; answers how many it has answered. */
function refuse(request: RegExp, times: number, { status, code, message } = tooBusy): () => number {
  let refused = 0;
  world.store.intercept = (exchange) => {
    if (refused >= times || !request.test(`${exchange.method} ${exchange.path}`)) return exchange.pass();
    refused += 1;
    exchange.response.writeHead(status, { "content-type": "application/xml", connection: "close" });
    exchange.response.end(
      exchange.method === "HEAD"
        ? undefined
        : `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    );
  };
  return () => refused;
}

const forEver = Number.POSITIVE_INFINITY;
/** Everything is cut after so many bytes of each connection. */
const cutAfter = (bytes: number, toxicity = 1): Toxic => ({
  type: "limit_data",
  stream: "upstream",
  toxicity,
  attributes: { bytes },
});
const slow: readonly Toxic[] = [
  { type: "latency", stream: "downstream", attributes: { latency: 30, jitter: 20 } },
  { type: "bandwidth", stream: "upstream", attributes: { rate: 64 } },
  {
    type: "slicer",
    stream: "downstream",
    attributes: { average_size: 200, size_variation: 100, delay: 100 },
  },
];

function declare(session: Readonly<Record<string, unknown>>): void {
  world.remote.commit("Declare storage, retention and a backup", {
    "clusters/lab/storage.yaml": [
      objectStore(world, toxic.url),
      retentionPolicy({ successfulSnapshots: { last: 1 } }),
    ],
    "clusters/lab/app.yaml": configuration({ session: { ...retried, sessionHistoryLimit: 3, ...session } }),
  });
}

/** Passes until restic has met the fault. */
async function untilStuck(): Promise<void> {
  await eventually(async () => {
    const { plan, outcome } = await world.pass();
    const why = `waiting: ${plan.waiting.join()}; problems: ${JSON.stringify(outcome.problems)}`;
    expect(world.restics().length, `${why}`).toBeGreaterThan(0);
  }, 90_000);
  await sleep(1_000);
}

/** Passes as if eleven minutes had gone by, until the timeout of ten has ended it and its Job has had its say. */
async function afterTimeout(kind: string, name: string): Promise<void> {
  await eventually(async () => {
    await world.pass({ aheadMs: 660_000 });
    expect(phase(await world.get(kind, "vault", name))).toBe("Failed");
    expect(world.movers()).toEqual([]);
  }, 90_000);
}

async function errorsOf(session: string): Promise<string> {
  const snapshots = await world.list("Snapshot", "vault");
  const mine = snapshots.filter((one) => field(one, "spec", "backupSession") === session);
  return mine.map((one) => String(field(one, "status", "components", "manifest", "error"))).join();
}

/** Names of the Snapshots whose entries are at the record's tip. */
function recordedSnapshots(): readonly string[] {
  const paths = world.remote.git("ls-tree", "-r", "--name-only", "holdfast-record").split("\n");
  return paths.flatMap(
    (path) => /\/snapshots\/vault\/app-manifests\/.*\/([^/]+)\.yaml$/.exec(path)?.[1] ?? [],
  );
}

const available = requireOrSkip("restic", "git", "versitygw", "toxiproxy-server");

beforeAll(async () => {
  if (!available) return;
  world = await openFaultWorld();
  toxic = await startToxiproxy(world.store.url);
  await furnish(world);
}, 60_000);

afterEach(async () => {
  world.store.intercept = undefined;
  await toxic.heal();
});

afterAll(async () => {
  await toxic?.stop();
  await world?.close();
});

test.runIf(available)(
  "an S3 server that answers 503 to everything makes its storage NotReady in its own words, and Ready once it recovers",
  async () => {
    declare({});
    refuse(/./, forEver);
    const { problems } = await world.run();
    const storage = await world.get("BackupStorage", "vault", "store");
    expect(phase(storage)).toBe("NotReady");
    expect(conditionMessage(storage, "BackendInitialized")).toMatch(
      /^False BackendInitializationFailed: .*(SlowDown|reduce your request rate)/,
    );
    expect(problems.some(({ message }) => /SlowDown|reduce your request rate/.test(message))).toBe(true);
    expect(await world.list("BackupSession", "vault")).toEqual([]);
    world.store.intercept = undefined;
    // It is tried again every minute.
    const { end, failures } = await world.run({ aheadMs: 61_000 });
    expect({ end, failures }).toEqual({ end: "done", failures: [] });
    await checkBackupLaws(world, "app-manifests", new Set());
  },
);

test.runIf(available)(
  "an S3 server that refuses a request now and then, and is slow, costs time alone",
  async () => {
    const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
    await toxic.add(...slow);
    const refused = [/^PUT [^ ]+\/data\//, /^DELETE [^ ]+\/data\//].map((request) => ({
      request,
      left: 2,
    }));
    world.store.intercept = (exchange) => {
      const rule = refused.find(({ request }) => request.test(`${exchange.method} ${exchange.path}`));
      if (rule === undefined || rule.left === 0) return exchange.pass();
      rule.left -= 1;
      exchange.response.writeHead(503, { connection: "close" }).end();
    };
    await trigger(world);
    const { failures } = await world.run();
    expect(failures).toEqual([]);
    expect(refused.map(({ left }) => left)).toEqual([0, 0]);
    await checkBackupLaws(world, "app-manifests", known);
  },
);

test.runIf(available)(
  "an S3 server that cuts every connection fails the backup at its timeout in restic's words, and the next one succeeds",
  async () => {
    declare({ backupTimeout: "10m", retryConfig: undefined });
    await world.run();
    const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
    await toxic.add(cutAfter(150));
    const first = await trigger(world);
    await untilStuck();
    await afterTimeout("BackupSession", first);
    expect(await errorsOf(first)).toMatch(
      /told to end.*restic could not open the repository.*(unable to open config file|retrying after)/,
    );
    await toxic.heal();
    await trigger(world);
    expect((await world.run()).failures).toEqual([]);
    await checkBackupLaws(world, "app-manifests", known);
    await checkRest(world);
  },
);

test.runIf(available)(
  "an S3 server that lets nothing be removed fails retention in restic's words and loses no Snapshot, and the next session forgets",
  async () => {
    declare({ retryConfig: undefined });
    await world.run();
    const before = recordedSnapshots();
    const refused = refuse(/^DELETE [^ ]+\/manifest\/snapshots\//, forEver, forbidden);
    const first = await trigger(world);
    const { end, failures } = await world.run();
    expect({ end, failures }).toMatchObject({ end: "done", failures: [{ phase: "Failed" }] });
    expect(refused()).toBeGreaterThan(0);
    const session = await world.get("BackupSession", "vault", first);
    expect(phase(session)).toBe("Failed");
    expect(field(session, "status", "retentionPolicy")).toMatchObject([
      {
        phase: "FailedToApply",
        error: expect.stringMatching(/restic could not forget.*unable to remove <?snapshot\//),
      },
    ]);
    expect(JSON.stringify(session?.["status"])).not.toMatch(/\.go:\d/);
    // What was saved is saved, and what was to go is still there, also in the record.
    const snapshots = await world.list("Snapshot", "vault");
    expect(phase(snapshots.find((one) => field(one, "spec", "backupSession") === first))).toBe("Succeeded");
    const names = snapshots.map(({ metadata }) => metadata.name).sort();
    expect(names).toEqual(expect.arrayContaining([...before]));
    expect(names).toHaveLength(before.length + 1);
    expect([...recordedSnapshots()].sort()).toEqual(names);
    world.store.intercept = undefined;
    const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
    await trigger(world);
    expect((await world.run()).failures).toEqual([]);
    await checkBackupLaws(world, "app-manifests", known);
    await checkRest(world);
  },
);

test.runIf(available)(
  "an S3 server that answers 503 to a restore fails it at its timeout in its own words, and one that is slow costs time alone",
  async () => {
    declare({});
    await world.run();
    await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
    const timed = (name: string) => restore(name, { restoreTimeout: "10m" });
    const busy = refuse(/^GET [^ ]+\/data\//, forEver);
    world.remote.commit("Restore", { "clusters/lab/restores/busy.yaml": timed("busy") });
    await untilStuck();
    // restic's library repeats a request ten times before restic hears of it and says so.
    await eventually(async () => expect(busy()).toBeGreaterThan(10), 60_000);
    await afterTimeout("RestoreSession", "busy");
    const failed = await world.get("RestoreSession", "vault", "busy");
    expect(String(field(failed, "status", "components", "manifest", "error"))).toMatch(
      /told to end.*restic could not .*(SlowDown|reduce your request rate)/,
    );
    expect(await world.get("ConfigMap", "app", "settings")).toBeUndefined();
    await toxic.add(...slow);
    const refused = refuse(/^GET [^ ]+\/data\//, 2);
    world.remote.commit("Restore again", { "clusters/lab/restores/slow.yaml": timed("slow") });
    expect((await world.run()).failures).toEqual([]);
    expect(refused()).toBe(2);
    expect(phase(await world.get("RestoreSession", "vault", "slow"))).toBe("Succeeded");
    expect((await world.get("ConfigMap", "app", "settings"))?.["data"]).toEqual(settings["data"]);
    await checkRest(world);
  },
);

test.runIf(available)(
  "an S3 server that cuts connections at random bytes for a while costs a retry at most",
  { timeout: Math.max(1, seeds) * 240_000 },
  async () => {
    declare({});
    await world.run();
    for (let seed = 0; seed < Math.max(1, seeds); seed += 1) {
      const known = new Set((await sessionsOf(world, "app-manifests")).map((one) => one.metadata.name));
      // The same on every machine: from the middle of a request's head to the middle of a pack.
      const bytes = 300 + ((Math.imul(seed + 1, 2_654_435_761) >>> 8) % 20_000);
      await toxic.add(cutAfter(bytes, 0.5));
      await trigger(world);
      const run = world.run({ timeoutMs: 200_000 });
      await sleep((bytes % 7) * 1_000);
      await toxic.heal();
      expect((await run).end, `cut after ${bytes} bytes`).toBe("done");
      await checkBackupLaws(world, "app-manifests", known);
      await checkRest(world);
    }
  },
);

test.runIf(available)(
  "an S3 server that cuts every connection fails a restore at its timeout in restic's words, and a new name restores",
  async () => {
    await world.kube.delete(builtIn.ConfigMap, { namespace: "app", name: "settings" });
    const timed = (name: string) => restore(name, { restoreTimeout: "10m" });
    await toxic.add(cutAfter(150));
    world.remote.commit("Restore", { "clusters/lab/restores/back.yaml": timed("back") });
    await untilStuck();
    await afterTimeout("RestoreSession", "back");
    const failed = await world.get("RestoreSession", "vault", "back");
    expect(JSON.stringify(failed?.["status"])).toContain("restoreTimeout passed");
    expect(String(field(failed, "status", "components", "manifest", "error"))).toMatch(
      /told to end.*restic could not .*(unable to open config file|retrying after)/,
    );
    expect(await world.get("ConfigMap", "app", "settings")).toBeUndefined();
    await toxic.heal();
    world.remote.commit("Restore again", { "clusters/lab/restores/again.yaml": timed("again") });
    expect((await world.run()).failures).toEqual([]);
    expect(phase(await world.get("RestoreSession", "vault", "again"))).toBe("Succeeded");
    expect((await world.get("ConfigMap", "app", "settings"))?.["data"]).toEqual(settings["data"]);
  },
);
