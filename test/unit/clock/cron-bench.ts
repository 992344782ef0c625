import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "../../../src/api/meta.ts";
import { createClient } from "../../../src/embedded/controllers/client.ts";
import { type Controller, createContext } from "../../../src/embedded/controllers/controller.ts";
import { createCronJobController } from "../../../src/embedded/controllers/cron-job-controller.ts";
import type { Waker } from "../../../src/embedded/controllers/minute-waker.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";

const namespace = "default";

/** A real server with a clock of ours; its CronJobs are looked at when the test says so. */
export type CronBench = {
  readonly clock: ManualClock;
  newController(waker?: Waker): Controller;
  declare(schedule: string, timeZone: string): Promise<string>;
  forget(name: string): Promise<void>;
  /** Due times of the Jobs that are there; they are then finished, and so go with the next look. */
  takeRuns(name: string): Promise<readonly number[]>;
  close(): Promise<void>;
};

export async function openCronBench(start: string): Promise<CronBench> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-clock-"));
  const clock = manualClock(Date.parse(start));
  const server = await startEmbedded({ directory, clock });
  const client = createClient(server.api);
  let count = 0;
  const finish = async (job: KubeObject) => {
    const { name } = job.metadata;
    const time = new Date(clock.now()).toISOString().replace(/\.\d+Z/, "Z");
    const conditions = [{ type: "Complete", status: "True", lastTransitionTime: time }];
    const status = { startTime: time, completionTime: time, conditions };
    await client.patch(resources.jobs, { namespace, name }, { status }, "status");
  };
  return {
    clock,
    newController(waker = () => () => undefined) {
      const { signal } = new AbortController();
      const context = createContext({ api: server.api, clock, log: () => undefined, signal });
      return createCronJobController(context, waker);
    },
    async declare(schedule, timeZone) {
      count += 1;
      const name = `tick-${count}`;
      const containers = [{ name: "main", image: "x" }];
      await client.create(resources.cronJobs, {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name, namespace },
        spec: {
          schedule,
          timeZone,
          // Runs that are gone must not be started again.
          successfulJobsHistoryLimit: 0,
          jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers } } } },
        },
      });
      return name;
    },
    async forget(name) {
      await client.delete(resources.cronJobs, { namespace, name });
    },
    async takeRuns(name) {
      const { items } = await client.list(resources.jobs, { namespace });
      const mine = items.filter((job) => job.metadata.name.startsWith(`${name}-`));
      for (const job of mine) await finish(job);
      return mine.map((job) => Number(job.metadata.name.slice(name.length + 1)) * 60_000);
    },
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
