import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { Api } from "../../../src/embedded/api.ts";
import { type Client, createClient } from "../../../src/embedded/controllers/client.ts";
import {
  type Controller,
  type ControllerContext,
  createContext,
} from "../../../src/embedded/controllers/controller.ts";
import { createDeploymentController } from "../../../src/embedded/controllers/deployment-controller.ts";
import { createVolumeController } from "../../../src/embedded/controllers/directory-provisioner.ts";
import { createJobController } from "../../../src/embedded/controllers/job-controller.ts";
import { createReplicaSetController } from "../../../src/embedded/controllers/replica-set-controller.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { isTrue } from "../../../src/embedded/controllers/status.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import { numberAt, textAt } from "../../../src/embedded/value.ts";

// A controller is killed before each of its requests in turn, and after; a new one then finishes the work.
let directory: string;
let server: EmbeddedServer;
let client: Client;

const namespace = "default";
const mostRequests = 30;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-kill-"));
  server = await startEmbedded({ directory });
  client = createClient(server.api);
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

type Death = { readonly at: number; readonly answered: boolean; died: boolean };

/** Serves so many requests; the next one fails, before or after it was carried out, and so do all others. */
function dyingApi(api: Api, death: Death): Api {
  let served = 0;
  return {
    watch: (path, query, signal) => api.watch(path, query, signal),
    async request(request) {
      served += 1;
      if (served > death.at) {
        if (death.answered && !death.died) await api.request(request);
        death.died = true;
        throw new Error("killed");
      }
      return api.request(request);
    },
  };
}

function contextOver(api: Api): ControllerContext {
  const signal = new AbortController().signal;
  return createContext({ api, clock: systemClock, log: () => undefined, signal });
}

type Make = (context: ControllerContext) => Controller;

async function reconcile(make: Make, key: string, death?: Death): Promise<void> {
  const api = death === undefined ? server.api : dyingApi(server.api, death);
  const controller = make(contextOver(api));
  // Twice, as the events of its own writes would have it.
  for (let turn = 0; turn < 2; turn += 1) {
    try {
      await controller.reconcile(key);
    } catch (error) {
      if (death === undefined) throw error;
      return;
    }
  }
}

/** Calls `story` for every point at which a controller can be killed. */
async function atEveryPoint(story: (name: string, death: Death) => Promise<void>): Promise<void> {
  for (const answered of [false, true]) {
    for (let at = 0; at < mostRequests; at += 1) {
      const death: Death = { at, answered, died: false };
      const name = `kill-${at}-${answered ? "after" : "before"}`;
      await story(name, death).catch((cause: unknown) => {
        throw new Error(`it does not hold for ${name}`, { cause });
      });
      if (!death.died) break;
      if (at === mostRequests - 1) throw new Error("there are more requests than the test looks at");
    }
  }
}

const pod = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "x" }] } };

async function podsOf(selector: string) {
  return (await client.list(resources.pods, { namespace, labelSelector: selector })).items;
}

function createJob(name: string) {
  return client.create(resources.jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: pod },
  });
}

test("a Job's controller that is killed anywhere while it starts the Job makes one pod", async () => {
  await atEveryPoint(async (name, death) => {
    await createJob(name);
    await reconcile(createJobController, `${namespace}/${name}`, death);
    await reconcile(createJobController, `${namespace}/${name}`);
    expect(await podsOf(`job-name=${name}`)).toHaveLength(1);
  });
});

test.each(["Succeeded", "Failed"])(
  "one that is killed anywhere while a pod is %s counts it once",
  async (phase) => {
    await atEveryPoint(async (suffix, death) => {
      const name = `${phase.toLowerCase()}-${suffix}`;
      await createJob(name);
      await reconcile(createJobController, `${namespace}/${name}`);
      const [made] = await podsOf(`job-name=${name}`);
      const target = { namespace, name: made?.metadata.name ?? "" };
      await client.patch(resources.pods, target, { status: { phase } }, "status");
      await reconcile(createJobController, `${namespace}/${name}`, death);
      await reconcile(createJobController, `${namespace}/${name}`);
      const job = await client.get(resources.jobs, { namespace, name });
      const field = phase.toLowerCase();
      expect(numberAt(job, "status", field)).toBe(1);
      expect(isTrue(job, phase === "Failed" ? "Failed" : "Complete")).toBe(true);
      const pods = await podsOf(`job-name=${name}`);
      expect(pods.map((one) => one.metadata.finalizers ?? [])).toEqual([[]]);
    });
  },
);

test("a Deployment's and a ReplicaSet's controllers that are killed anywhere make no pod too many", async () => {
  await atEveryPoint(async (name, death) => {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } };
    await client.create(resources.deployments, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    });
    const rest: Death = { ...death };
    await reconcile(createDeploymentController, `${namespace}/${name}`, death);
    await reconcile(createDeploymentController, `${namespace}/${name}`);
    const { items } = await client.list(resources.replicaSets, { namespace, labelSelector: `app=${name}` });
    expect(items).toHaveLength(1);
    const key = `${namespace}/${items[0]?.metadata.name}`;
    await reconcile(createReplicaSetController, key, rest);
    await reconcile(createReplicaSetController, key);
    expect(await podsOf(`app=${name}`)).toHaveLength(2);
    death.died ||= rest.died;
  });
});

test("a provisioner that is killed anywhere makes one volume and binds it", async () => {
  const make: Make = (context) => createVolumeController(context, join(directory, "volumes"));
  await make(contextOver(server.api)).start?.(() => undefined);
  await atEveryPoint(async (name, death) => {
    const claim = await client.create(resources.claims, {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name, namespace },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    });
    await reconcile(make, `${namespace}/${name}`, death);
    await reconcile(make, `${namespace}/${name}`);
    const { items } = await client.list(resources.volumes);
    const mine = items.filter((one) => textAt(one, "spec", "claimRef", "uid") === claim.metadata.uid);
    expect(mine.map((one) => textAt(one, "status", "phase"))).toEqual(["Bound"]);
    const bound = await client.get(resources.claims, { namespace, name });
    expect(textAt(bound, "status", "phase")).toBe("Bound");
  });
});
