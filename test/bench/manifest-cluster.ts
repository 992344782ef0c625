import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectKube, type KubeConnection } from "../../src/ports/kube/connect-kube.ts";
import { type KubeApiserver, startKubeApiserver } from "../support/kube-apiserver.ts";
import type { Sample } from "./bench.ts";

/** A real API server, without controllers, so that nobody works beside what is measured. */
export type ManifestCluster = {
  readonly kube: KubeConnection;
  readonly kubeconfigPath: string;
  readonly close: () => Promise<void>;
};

export async function startManifestCluster(): Promise<ManifestCluster> {
  const server: KubeApiserver = await startKubeApiserver();
  const { kubeconfigPath } = server;
  const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
  const close = async () => {
    await kube.close();
    await server.close();
  };
  return { kube, kubeconfigPath, close };
}

/** What a worker of these benches answers. */
export type WorkerAnswer = {
  readonly objects: number;
  readonly requests: number;
  readonly peakMiB: number;
};

export type Run = Sample & { readonly answer: WorkerAnswer };

export const walls = (runs: readonly Run[]) => runs.map(({ wallMs }) => wallMs);
export const cpus = (runs: readonly Run[]) => runs.map(({ cpuMs = 0 }) => cpuMs);
export const peaks = (runs: readonly Run[]) => runs.map(({ answer }) => answer.peakMiB);

/** Fewer where one takes minutes; those are not warmed up either. */
export function pairsOf(objects: number): number {
  return objects > 10_000 ? 1 : 3;
}

/** Digest of each file below a folder. */
export function digests(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".yaml"),
  );
  const digest = (path: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex");
  return new Map(paths.map((path) => [path, digest(path)]));
}
