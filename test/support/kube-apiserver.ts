import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { pathOf } from "./real-parts.ts";
import { type Reaper, startReaper } from "./reaper.ts";

/** How to reach an API server; plain data, so that it can be handed to other processes. */
export type KubeAccess = {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** PEM of the certificate authority. */
  readonly ca: string;
  /** Bearer token of a member of system:masters. */
  readonly token: string;
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
};

export type KubeApiserver = KubeAccess & {
  /** Drops the history of all objects, which lists that have begun go on in. */
  forgetHistory(): Promise<void>;
  /** Adds kube-controller-manager: garbage collection, namespaces, Jobs and CronJobs. Once; later calls wait for it. */
  startControllers(): Promise<void>;
  close(): Promise<void>;
};

type Place = { readonly dir: string; readonly reaper: Reaper; readonly children: ChildProcess[] };

/** etcd and kube-apiserver with RBAC on free loopback ports. Pods are never scheduled. */
export async function startKubeApiserver(
  options: {
    readonly controllers?: boolean;
    /** For kube-apiserver, beside those that it needs. */
    readonly flags?: readonly string[];
  } = {},
): Promise<KubeApiserver> {
  const reaper = startReaper();
  const dir = await mkdtemp(join(tmpdir(), "holdfast-kube-"));
  reaper.watchDirectory(dir);
  const place: Place = { dir, reaper, children: [] };
  const close = async () => {
    for (const child of place.children.toReversed()) await stop(child);
    await reaper.close();
  };
  try {
    const { etcd, ...access } = await startServers(place, options.flags ?? []);
    let controllers: Promise<void> | undefined;
    const startControllers = () => {
      controllers ??= startControllerManager(place, access);
      return controllers;
    };
    if (options.controllers === true) await startControllers();
    return { ...access, forgetHistory: () => compact(etcd), startControllers, close };
  } catch (error) {
    const tail = await logTails(place);
    await close();
    throw new Error(`the API server did not come up:\n${tail}`, { cause: error });
  }
}

async function startServers(
  place: Place,
  flags: readonly string[],
): Promise<KubeAccess & { readonly etcd: string }> {
  const { dir } = place;
  const token = randomBytes(24).toString("hex");
  const pki = join(dir, "pki");
  await mkdir(pki);
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await writeFile(join(pki, "service-account.key"), privateKey, { mode: 0o600 });
  await writeFile(join(pki, "tokens.csv"), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const etcd = `http://127.0.0.1:${await freePort()}`;
  startEtcd(place, etcd, `http://127.0.0.1:${await freePort()}`);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  start(place, "kube-apiserver", [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    // A certificate of its own making, signed by an authority that is the second one in the file.
    `--cert-dir=${pki}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    `--token-auth-file=${join(pki, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--allow-privileged=true",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${join(pki, "service-account.key")}`,
    `--service-account-signing-key-file=${join(pki, "service-account.key")}`,
    "--profiling=false",
    ...flags,
  ]);
  // The file is there before the port answers.
  await until(place, "kube-apiserver", async () => {
    const ca = await readFile(join(pki, "apiserver.crt"), "utf8").catch(() => undefined);
    return ca !== undefined && (await status(`${url}/readyz`, ca, token)) === 200;
  });
  const ca = await readFile(join(pki, "apiserver.crt"), "utf8");
  const kubeconfig = kubeconfigOf({ url, ca, token });
  const kubeconfigPath = join(dir, "kubeconfig");
  await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
  return { url, ca, token, kubeconfig, kubeconfigPath, etcd };
}

/** By the JSON gateway of etcd, up to its newest revision. */
async function compact(etcd: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${etcd}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as { readonly header: { readonly revision: string } };
  };
  const { header } = await post("kv/range", { key: btoa("/") });
  await post("kv/compaction", { revision: header.revision });
}

function startEtcd(place: Place, client: string, peer: string): void {
  start(place, "etcd", [
    `--data-dir=${join(place.dir, "etcd")}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ]);
}

async function startControllerManager(place: Place, access: KubeAccess): Promise<void> {
  const pki = join(place.dir, "pki");
  start(place, "kube-controller-manager", [
    `--kubeconfig=${access.kubeconfigPath}`,
    "--leader-elect=false",
    "--secure-port=0",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${join(pki, "service-account.key")}`,
    `--root-ca-file=${join(pki, "apiserver.crt")}`,
    `--flex-volume-plugin-dir=${join(place.dir, "flex")}`,
    "--profiling=false",
  ]);
  // The service account controller is among the last to start.
  const account = `${access.url}/api/v1/namespaces/default/serviceaccounts/default`;
  await until(
    place,
    "kube-controller-manager",
    async () => (await status(account, access.ca, access.token)) === 200,
  );
}

/** A kubeconfig with one context, in JSON, which is YAML too. */
export function kubeconfigOf(access: { url: string; ca?: string; token?: string }): string {
  const ca = access.ca === undefined ? {} : { "certificate-authority-data": base64(access.ca) };
  return `${JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: access.url, ...ca } }],
    users: [{ name: "admin", user: access.token === undefined ? {} : { token: access.token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  })}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function start(place: Place, name: "etcd" | "kube-apiserver" | "kube-controller-manager", args: string[]) {
  const child = spawn(pathOf(name), args, { cwd: place.dir, stdio: ["ignore", "pipe", "pipe"] });
  const log = createWriteStream(join(place.dir, `${name}.log`), { flags: "a" });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once("error", () => {});
  place.children.push(child);
  if (child.pid !== undefined) place.reaper.watchProcess(child);
}

async function until(place: Place, name: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await ready())) {
    const dead = place.children.find((child) => child.exitCode !== null || child.signalCode !== null);
    if (dead !== undefined) throw new Error(`${dead.spawnfile} ended with ${dead.exitCode}`);
    if (Date.now() > deadline) throw new Error(`${name} is not ready after 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** HTTP status, or 0 while nothing answers. */
function status(url: string, ca: string, token: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request(url, { ca, headers, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    const harder = setTimeout(() => child.kill("SIGKILL"), 5_000);
    child.once("exit", () => {
      clearTimeout(harder);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

async function logTails(place: Place): Promise<string> {
  const names = ["etcd", "kube-apiserver", "kube-controller-manager"];
  const tails = names.map(async (name) => {
    const text = await readFile(join(place.dir, `${name}.log`), "utf8").catch(() => "");
    return text === "" ? "" : `--- ${name}\n${text.split("\n").slice(-15).join("\n")}`;
  });
  return (await Promise.all(tails)).join("\n");
}
