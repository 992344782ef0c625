import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { type Client, createClient } from "../../../src/embedded/controllers/client.ts";
import {
  identify,
  isRunning,
  type ProcessIdentity,
} from "../../../src/embedded/controllers/kubelet/process-identity.ts";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { type Controllers, startControllers } from "../../../src/embedded/controllers/start-controllers.ts";
import { isTrue } from "../../../src/embedded/controllers/status.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/embedded/server.ts";
import { at, listAt, numberAt, textAt } from "../../../src/embedded/value.ts";
import { eventually } from "../../support/eventually.ts";
import type { NodeProcessOptions } from "./node-process.ts";
import { image } from "./servers.ts";

// The server stays; the process with the controllers is killed and another one takes over.
let directory: string;
let server: EmbeddedServer;
let client: Client;
let killed: ChildProcess;
let controllers: Controllers | undefined;

const namespace = "default";
const worker = fileURLToPath(new URL("./worker.mjs", import.meta.url));
const nodeProcess = fileURLToPath(new URL("./node-process.ts", import.meta.url));
const command = [process.execPath, worker];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-restart-"));
  server = await startEmbedded({ directory: join(directory, "server") });
  client = createClient(server.api);
  const options: NodeProcessOptions = {
    url: server.url,
    ca: server.certificate,
    token: server.token,
    kubeconfig: server.kubeconfig,
    stateDirectory: join(directory, "node"),
    image,
    command,
  };
  killed = spawn(process.execPath, [nodeProcess, JSON.stringify(options)], { stdio: "inherit" });
});

afterEach(async () => {
  killed.kill("SIGKILL");
  await controllers?.close();
  controllers = undefined;
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  controllers = await startControllers({
    api: server.api,
    stateDirectory: join(directory, "node"),
    images: [image],
    command,
    credentials: async () => server.kubeconfig,
  });
}

async function kill(): Promise<void> {
  const ended = new Promise((resolve) => killed.once("exit", resolve));
  killed.kill("SIGKILL");
  await ended;
}

function job(name: string, spec: object, pod: object, task = "wait"): Promise<KubeObject> {
  const containers = [
    {
      name: "main",
      image,
      args: [task, "/pids/list"],
      volumeMounts: [{ name: "pids", mountPath: "/pids" }],
    },
  ];
  const volumes = [{ name: "pids", hostPath: { path: join(directory, "pids"), type: "DirectoryOrCreate" } }];
  return client.create(resources.jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { ...spec, template: { spec: { volumes, containers, terminationGracePeriodSeconds: 1, ...pod } } },
  });
}

async function started(count: number): Promise<readonly ProcessIdentity[]> {
  return eventually(async () => {
    const pids = (await readFile(join(directory, "pids/list"), "utf8")).trim().split("\n");
    expect(pids).toHaveLength(count);
    return Promise.all(pids.map((pid) => identify(Number(pid))));
  });
}

async function pods(): Promise<readonly KubeObject[]> {
  return (await client.list(resources.pods, { namespace })).items;
}

async function running(): Promise<void> {
  await eventually(async () => {
    expect((await pods()).map((pod) => textAt(pod, "status", "phase"))).toEqual(["Running"]);
  });
}

test("after kill -9 a running pod is ended, marked Failed, and its Job makes nothing twice", async () => {
  await job("lost", { backoffLimit: 0 }, { restartPolicy: "Never" });
  const [first] = await started(1);
  await running();
  await kill();
  if (first === undefined) throw new Error("no process was started");
  expect(await isRunning(first)).toBe(true);
  await begin();
  await eventually(async () => {
    const found = await client.get(resources.jobs, { namespace, name: "lost" });
    expect(isTrue(found, "Failed")).toBe(true);
    expect(numberAt(found, "status", "failed")).toBe(1);
  });
  expect(await isRunning(first)).toBe(false);
  const [pod, ...others] = await pods();
  expect(others).toEqual([]);
  const terminated = at(listAt(pod, "status", "containerStatuses")[0], "state", "terminated");
  expect(terminated).toMatchObject({ exitCode: 137, reason: "ContainerStatusUnknown" });
  expect(await started(1)).toHaveLength(1);
});

test("after kill -9 a pod that may restart runs again, when the process before it is gone", async () => {
  await job("again", { backoffLimit: 3 }, { restartPolicy: "OnFailure" });
  const [first] = await started(1);
  await running();
  await kill();
  await begin();
  const both = await started(2);
  if (first === undefined || both[1] === undefined) throw new Error("a process is missing");
  expect(await isRunning(first)).toBe(false);
  expect(await isRunning(both[1])).toBe(true);
  await eventually(async () => {
    const [pod] = await pods();
    expect(numberAt(listAt(pod, "status", "containerStatuses")[0], "restartCount")).toBe(1);
  });
});

test("a stop ends every process and says so in the pod's status", async () => {
  await kill();
  await begin();
  await job("stopped", { backoffLimit: 0 }, { restartPolicy: "Never" }, "stay");
  const [first] = await started(1);
  await running();
  await controllers?.close();
  controllers = undefined;
  if (first === undefined) throw new Error("no process was started");
  expect(await isRunning(first)).toBe(false);
  const [pod] = await pods();
  expect(at(pod, "status")).toMatchObject({ phase: "Failed", reason: "Terminated" });
  const terminated = at(listAt(pod, "status", "containerStatuses")[0], "state", "terminated");
  expect(terminated).toMatchObject({ exitCode: 143, signal: 15, reason: "Error" });
});

test("in an unchanged world a restart writes nothing", async () => {
  const labels = { app: "calm" };
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  const template = {
    metadata: { labels },
    spec: {
      volumes,
      containers: [{ name: "app", image: "shop:1", volumeMounts: [{ name: "data", mountPath: "/d" }] }],
    },
  };
  const spec = { selector: { matchLabels: labels }, template };
  const metadata = { name: "calm", namespace };
  await client.create(resources.claims, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  });
  await client.create(resources.deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
  await client.create(resources.daemonSets, { apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec });
  await eventually(async () => {
    const deployment = await client.get(resources.deployments, metadata);
    const set = await client.get(resources.daemonSets, metadata);
    expect(numberAt(deployment, "status", "availableReplicas")).toBe(1);
    expect(numberAt(set, "status", "numberAvailable")).toBe(1);
  });
  const versions = async () => {
    const kinds = [
      resources.pods,
      resources.deployments,
      resources.daemonSets,
      resources.replicaSets,
      resources.nodes,
    ];
    const others = [resources.claims, resources.volumes, resources.events, resources.controllerRevisions];
    const lists = await Promise.all([...kinds, ...others].map((kind) => client.list(kind)));
    return lists.flatMap(({ items }) =>
      items.map((one) => `${one.kind} ${one.metadata.name} ${one.metadata.resourceVersion}`),
    );
  };
  const quiet = await eventually(async () => {
    const before = await versions();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await versions()).toEqual(before);
    return before;
  });
  await kill();
  await begin();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await versions()).toEqual(quiet);
});
