import type { Clock } from "../../base/clock.ts";
import { backup } from "./backup.ts";
import { listChanged } from "./changed.ts";
import { formatVersion } from "./feature-table.ts";
import { createEnsure } from "./initialise.ts";
import { listNodes } from "./nodes.ts";
import { createResticProcess, type Deadlines } from "./process.ts";
import { check, forget, readSnapshots, size, unlock } from "./repository.ts";
import type { Restic } from "./restic.ts";
import { restore } from "./restore.ts";

export type ResticOptions = {
  /** A name on the PATH of `environment` or a path; `restic` by default. */
  readonly command?: string;
  /** What restic inherits (PATH, HOME, proxies, an AWS identity); settings of restic's own in it do not count. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly deadlines?: Partial<Deadlines>;
};

const defaultDeadlines: Deadlines = { shortMs: 5 * 60_000, longMs: 24 * 60 * 60_000 };

/** restic as installed on this machine. Nothing runs before the first call. */
export function createRestic(options: ResticOptions): Restic {
  const { environment, clock } = options;
  const process = createResticProcess({
    command: options.command ?? "restic",
    environment,
    deadlines: { ...defaultDeadlines, ...options.deadlines },
  });
  const ensure = createEnsure(process);
  return {
    version: async () => formatVersion(await process.version()),
    ensureRepository: (repository, signal) => ensure(repository, signal),
    backup: (repository, request, given = {}) =>
      backup({ process, clock, environment }, repository, request, given),
    snapshots: (repository, ids, signal) => readSnapshots(process, repository, ids, signal),
    async *list(repository, snapshotId, path, given = {}) {
      for await (const node of listNodes(process, repository, { snapshotId, path }, given)) {
        const { type, sizeBytes, modifiedAt } = node;
        yield { path: node.path, type, sizeBytes, modifiedAt };
      }
    },
    changed: (repository, snapshotIds, signal) => listChanged(process, repository, snapshotIds, signal),
    restore: (repository, request, given = {}) => restore(process, repository, request, given),
    forget: (repository, ids, signal) => forget(process, repository, ids, signal),
    check: (repository, given = {}, signal) => check(process, repository, given.readData ?? false, signal),
    size: (repository, signal) => size(process, repository, signal),
    unlock: (repository, given = {}, signal) => unlock(process, repository, given.all ?? false, signal),
  };
}
