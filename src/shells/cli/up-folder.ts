import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { HoldfastError } from "../../base/errors.ts";
import { oneLine } from "../../base/printable.ts";
import { settingsPath } from "../../pass/declared/settings.ts";
import { runController } from "../controller/run-controller.ts";
import { commitFolder, type FolderMirror, followFolder, makeMirror } from "../folder-mirror.ts";
import { connect } from "./connect.ts";
import type { KubeOptions, RemoteOptions } from "./remote-options.ts";
import type { Shell } from "./shell.ts";
import { usage } from "./usage.ts";

/**
 * Keeps the cluster as a plain folder says. The folder is mirrored into a bare repository in the state folder, so
 * that everything behind it (plans, claims, the record) is the same as with any other remote.
 */
export async function upFolder(
  options: RemoteOptions & KubeOptions & { readonly folder: string; readonly state: string },
  shell: Shell,
): Promise<void> {
  const { folder, branch, state } = options;
  const repository = join(state, "folder.git");
  const ending = new AbortController();
  const signal = AbortSignal.any([shell.signal, ending.signal]);
  await makeMirror(repository, branch, signal);
  // Without settings the folder itself is the cluster's.
  const path = options.path ?? (existsSync(join(folder, settingsPath)) ? undefined : ".");
  const { ports, request } = await connect(
    { ...options, remote: repository, ...(path === undefined ? {} : { path }) },
    signal,
  );
  const mirror: FolderMirror = { folder, remote: ports.remote, branch, clock: systemClock };
  await commitFolder(mirror, signal);
  if ((await ports.remote.tip(branch, signal)) === undefined)
    throw usage(
      `${folder} holds no YAML file`,
      "put the manifests there, or name another folder with --remote",
    );
  process.stdout.write(
    `${folder} is no Git repository: its YAML files are committed to ${branch} of ${repository} as they are saved,\n  and the record is a branch there\n`,
  );
  let following: Promise<void> = Promise.resolve();
  try {
    await runController(ports, request, (ring) => {
      const onCommit = (commit: string) => {
        process.stdout.write(`Took the folder as ${commit.slice(0, 12)}\n`);
        ring();
      };
      following = followFolder(mirror, { onCommit, onError: complain }, signal);
      following.catch(() => ending.abort());
    });
  } finally {
    ending.abort();
    await following;
  }
}

function complain({ message, next }: HoldfastError): void {
  process.stderr.write(`holdfast: ${oneLine(message)}\n${next === undefined ? "" : `  ${oneLine(next)}\n`}`);
}
