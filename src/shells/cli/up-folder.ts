import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
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

/** The state holds keys and the record, and changes all the time: it must not be looked at as declarations. */
export async function refuseStateInside(folder: string, state: string): Promise<void> {
  const way = relative(await realpath(folder), await realPlace(resolve(state)));
  if (way === ".." || way.startsWith("../")) return;
  throw usage(
    `--state ${state} is inside of ${folder}, the folder that declares`,
    "name a folder outside of it with --state, or the folder of the manifests alone with --remote",
  );
}

/** Links followed, also of what is not made yet. */
async function realPlace(path: string): Promise<string> {
  return await realpath(path).catch(async () => join(await realPlace(dirname(path)), basename(path)));
}

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
