import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/base/clock.ts";
import { HoldfastError } from "../../../src/base/errors.ts";
import { createRestic, type ResticOptions } from "../../../src/ports/restic/create-restic.ts";
import type { BackupRequest, Restic, ResticRepository } from "../../../src/ports/restic/restic.ts";
import type { ResticAtHand } from "../../support/restics.ts";

/** A folder of one test: a root with nothing in it, a repository's place, and restic. */
export type Bench = {
  readonly home: string;
  /** Stands for `/` of the pod. */
  readonly root: string;
  readonly repository: ResticRepository;
  readonly restic: Restic;
  /** restic with a command or a deadline of its own. */
  with(changes: Partial<ResticOptions>): Restic;
  /** A command that ends as restic, with leading arguments or another program in front. */
  wrap(line: (restic: string) => string): string;
  dispose(): void;
};

export const password = "a-password-that-must-not-show";

export function openBench(at: ResticAtHand): Bench {
  const home = mkdtempSync(join(tmpdir(), "holdfast-restic-test-"));
  const root = join(home, "root");
  mkdirSync(root);
  const options: ResticOptions = {
    command: at.path,
    environment: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: home },
    clock: systemClock,
  };
  return {
    home,
    root,
    repository: { url: join(home, "repository"), password, environment: {} },
    restic: createRestic(options),
    with: (changes) => createRestic({ ...options, ...changes }),
    wrap(line) {
      const path = join(home, `restic-${randomBytes(4).toString("hex")}`);
      writeFileSync(path, `#!/bin/sh\nexec ${line(at.path)} "$@"\n`);
      chmodSync(path, 0o755);
      return path;
    },
    dispose: () => rmSync(home, { recursive: true, force: true }),
  };
}

export function requestFor(bench: Bench, changes: Partial<BackupRequest> = {}): BackupRequest {
  return { root: bench.root, path: "/data", exclude: [], host: "demo-orders", tags: ["t=1"], ...changes };
}

/** Repositories that were made once per version: each key derivation takes restic half a second. */
export type Templates = { copyTo(bench: Bench): Promise<void>; dispose(): void };

export function templateOf(at: ResticAtHand): Templates {
  const template = openBench(at);
  return {
    async copyTo(bench) {
      const made = template.repository.url;
      if (!existsSync(made)) await template.restic.ensureRepository(template.repository);
      cpSync(made, bench.repository.url, { recursive: true });
    },
    dispose: template.dispose,
  };
}

export async function failureFrom(promise: Promise<unknown>): Promise<HoldfastError> {
  const thrown = await promise.then(
    (answer) => new Error(`not refused: ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof HoldfastError) return thrown;
  throw thrown;
}

/** Nodes of a snapshot as `path type`. */
export async function pathsIn(bench: Bench, snapshotId: string, path?: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const node of bench.restic.list(bench.repository, snapshotId, path)) {
    found.push(node.type === "dir" ? `${node.path}/` : node.path);
  }
  return found.sort();
}

/** Processes that this one has started, with their whole command line. */
export function childrenOfThisProcess(): readonly { readonly pid: number; readonly commandLine: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent !== process.pid) return [];
      return [{ pid, commandLine: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") }];
    } catch {
      return [];
    }
  });
}

export async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error("it did not happen within 10 s");
}

/** A command that uploads at 100 KiB/s, so that a backup can be met in its middle. */
export function slowRestic(bench: Bench): string {
  return bench.wrap((restic) => `${restic} --limit-upload 100`);
}
