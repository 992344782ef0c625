import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { type Client, createClient } from "../../../src/embedded/controllers/client.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { type Controllers, startControllers } from "../../../src/embedded/controllers/start-controllers.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import { listAt, textAt } from "../../../src/embedded/value.ts";
import { eventually } from "../../support/eventually.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";

// Real server and controller; only the time is ours, so that nobody waits for a minute.
let clock: ManualClock;
let directory: string;
let server: EmbeddedServer;
let client: Client;
let controllers: Controllers;

const namespace = "default";
const minute = 60_000;

async function begin(): Promise<void> {
  controllers = await startControllers({
    api: server.api,
    clock,
    stateDirectory: join(directory, "node"),
    images: [],
    command: [],
    credentials: async () => server.kubeconfig,
    only: ["cron-jobs"],
  });
}

beforeEach(async () => {
  clock = manualClock(Date.parse("2026-03-28T12:00:30Z"));
  directory = await mkdtemp(join(tmpdir(), "holdfast-cron-"));
  server = await startEmbedded({ directory, clock });
  client = createClient(server.api);
  await begin();
});

afterEach(async () => {
  await controllers.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function cronJob(spec: Record<string, unknown>): Promise<KubeObject> {
  const containers = [{ name: "main", image: "x" }];
  return client.create(resources.cronJobs, {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick", namespace },
    spec: {
      schedule: "* * * * *",
      ...spec,
      jobTemplate: {
        metadata: { labels: { made: "by-tick" }, annotations: { note: "kept" } },
        spec: { template: { spec: { restartPolicy: "Never", containers } } },
      },
    },
  });
}

async function jobs(): Promise<readonly KubeObject[]> {
  const { items } = await client.list(resources.jobs, { namespace });
  return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

async function names(): Promise<readonly string[]> {
  return (await jobs()).map((job) => job.metadata.name);
}

function nameAt(time: string): string {
  return `tick-${Date.parse(time) / minute}`;
}

/** Waits until the controller has seen the CronJob and sleeps until its next time. */
async function seen(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

async function lastScheduled(time: string): Promise<KubeObject> {
  return eventually(async () => {
    const found = await client.get(resources.cronJobs, { namespace, name: "tick" });
    expect(textAt(found, "status", "lastScheduleTime")).toBe(time);
    if (found === undefined) throw new Error("the CronJob is gone");
    return found;
  }, 5_000);
}

async function finish(name: string, condition: "Complete" | "Failed"): Promise<void> {
  const at = new Date(clock.now()).toISOString().replace(/\.\d+Z/, "Z");
  const conditions = [{ type: condition, status: "True", lastTransitionTime: at }];
  const completionTime = condition === "Complete" ? { completionTime: at } : {};
  const status = { startTime: at, conditions, ...completionTime };
  await client.patch(resources.jobs, { namespace, name }, { status }, "status");
}

test("a due time makes one Job, named and annotated after it", async () => {
  await cronJob({ timeZone: "Europe/Berlin" });
  await seen();
  expect(await names()).toEqual([]);
  clock.advance(minute);
  const found = await lastScheduled("2026-03-28T12:01:00Z");
  const [job, ...others] = await jobs();
  expect(others).toEqual([]);
  expect(job?.metadata).toMatchObject({
    name: nameAt("2026-03-28T12:01:00Z"),
    labels: { made: "by-tick" },
    annotations: {
      note: "kept",
      "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-03-28T13:01:00+01:00",
    },
    ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
  });
  expect(listAt(found, "status", "active").map((one) => textAt(one, "name"))).toEqual([job?.metadata.name]);
});

test("after a stop of hours the most recent missed run is made up for, and only that", async () => {
  await cronJob({});
  await seen();
  await controllers.close();
  clock.advance(5 * 60 * minute);
  await begin();
  await lastScheduled("2026-03-28T17:00:00Z");
  expect(await names()).toEqual([nameAt("2026-03-28T17:00:00Z")]);
});

test("a run that is past its startingDeadlineSeconds is left out", async () => {
  await cronJob({ schedule: "0 13 * * *", startingDeadlineSeconds: 60 });
  await seen();
  await controllers.close();
  clock.advance(2 * 60 * minute);
  await begin();
  await seen();
  expect(await names()).toEqual([]);
});

test("a night without 02:30 has its run, right after the gap", async () => {
  await cronJob({ schedule: "30 2 * * *", timeZone: "Europe/Berlin" });
  await seen();
  for (let hour = 0; hour < 14; hour += 1) {
    clock.advance(60 * minute);
    await seen();
  }
  await lastScheduled("2026-03-29T01:00:00Z");
  expect(await names()).toEqual([nameAt("2026-03-29T01:00:00Z")]);
});

test("Forbid waits for the Job before it and then makes the missed run", async () => {
  await cronJob({ concurrencyPolicy: "Forbid" });
  await seen();
  clock.advance(minute);
  await lastScheduled("2026-03-28T12:01:00Z");
  clock.advance(minute);
  await seen();
  const first = nameAt("2026-03-28T12:01:00Z");
  expect(await names()).toEqual([first]);
  await finish(first, "Complete");
  const found = await lastScheduled("2026-03-28T12:02:00Z");
  expect(await names()).toEqual([first, nameAt("2026-03-28T12:02:00Z")]);
  expect(textAt(found, "status", "lastSuccessfulTime")).toBe("2026-03-28T12:02:30Z");
});

test("Replace deletes the Job before it", async () => {
  await cronJob({ concurrencyPolicy: "Replace" });
  await seen();
  clock.advance(minute);
  await lastScheduled("2026-03-28T12:01:00Z");
  clock.advance(minute);
  await lastScheduled("2026-03-28T12:02:00Z");
  expect(await names()).toEqual([nameAt("2026-03-28T12:02:00Z")]);
});

test("a suspended CronJob makes nothing, and one run when it is resumed", async () => {
  await cronJob({ suspend: true });
  await seen();
  clock.advance(10 * minute);
  await seen();
  expect(await names()).toEqual([]);
  await client.patch(resources.cronJobs, { namespace, name: "tick" }, { spec: { suspend: false } });
  await lastScheduled("2026-03-28T12:10:00Z");
  expect(await names()).toEqual([nameAt("2026-03-28T12:10:00Z")]);
});

test("history limits keep the youngest", async () => {
  await cronJob({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0 });
  await seen();
  for (const [index, condition] of (["Complete", "Failed", "Complete", "Complete"] as const).entries()) {
    clock.advance(minute);
    const time = `2026-03-28T12:0${index + 1}:00Z`;
    await lastScheduled(time);
    await finish(nameAt(time), condition);
  }
  await eventually(async () => {
    expect(await names()).toEqual([nameAt("2026-03-28T12:03:00Z"), nameAt("2026-03-28T12:04:00Z")]);
  }, 5_000);
});
