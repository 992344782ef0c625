import { opendir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatSize } from "../../api/size.ts";
import { type HoldfastError, messageOf, toHoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { oneLine } from "../../base/printable.ts";
import { type Downloaded, downloadComponent } from "./download-component.ts";
import { type OpenSnapshot, openSnapshot } from "./open-snapshot.ts";
import { progressLine } from "./progress-line.ts";
import { type ReaderContext, readerContext } from "./reader-context.ts";
import type { KubeOptions, OutputOptions } from "./remote-options.ts";
import type { Shell } from "./shell.ts";
import { usage } from "./usage.ts";

export type DownloadRequest = KubeOptions &
  OutputOptions & {
    readonly namespace?: string;
    readonly component?: string;
    readonly path?: string;
    readonly to: string;
    readonly force?: boolean;
  };

type Failed = { readonly name: string; readonly error: HoldfastError };
type Came = { readonly component: string } & Downloaded;

/**
 * Brings the components of a Snapshot to a folder, one after the other; one that fails does not stop the others.
 * The exit code is 3 when a part came, or when the Snapshot itself holds a part of its source only.
 */
export async function downloadSnapshot(text: string, request: DownloadRequest, shell: Shell): Promise<void> {
  const path = checkedPath(request.path);
  const folder = resolve(request.to);
  const empty = await prepare(folder, request.force === true);
  const context = await readerContext(request, shell);
  const snapshot = await openSnapshot(context, text, {
    namespace: request.namespace,
    only: request.component,
  });
  const { came, failed } = await downloadAll(context, snapshot, { folder, path, mayExist: !empty });
  if (came.length === 0 && failed[0] !== undefined) throw failed[0].error;
  if (came.length === 0)
    throw usage(
      `${snapshot.shown} holds no ${path}`,
      `it holds ${snapshot.components.flatMap((one) => one.paths.map(({ hostPath }) => hostPath)).join(", ")}`,
    );
  report({ snapshot, folder, came, failed }, request);
  if (failed.length > 0 || snapshot.partial !== undefined) shell.setExitCode(ExitCode.partial);
}

async function downloadAll(
  context: ReaderContext,
  snapshot: OpenSnapshot,
  given: { readonly folder: string; readonly path: string | undefined; readonly mayExist: boolean },
): Promise<{ readonly came: readonly Came[]; readonly failed: readonly Failed[] }> {
  const came: Came[] = [];
  const failed: Failed[] = [...snapshot.closed];
  for (const component of snapshot.components) {
    const line = progressLine(component.name);
    try {
      const done = await downloadComponent(context, component, {
        folder: join(given.folder, component.name),
        path: given.path,
        mayExist: given.mayExist,
        onProgress: line.show,
      });
      came.push(...done.map((one) => ({ component: component.name, ...one })));
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      if (error.disposition === "bug" || context.signal.aborted) throw thrown;
      failed.push({ name: component.name, error });
    } finally {
      line.end();
    }
  }
  return { came, failed };
}

function checkedPath(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (clean.startsWith("/") && !clean.split("/").includes("..")) return clean;
  throw usage(`--path ${path} is no absolute path`, "write it as the pod had it, such as /data/orders");
}

/** Answers whether the folder is empty; nothing is made before there is something to put there. */
async function prepare(folder: string, force: boolean): Promise<boolean> {
  try {
    const entries = await opendir(folder);
    const first = await entries.read();
    await entries.close();
    if (first === null) return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return true;
    throw usage(`${folder} cannot be used: ${messageOf(cause)}`, "name a folder of your own with --to");
  }
  if (force) return false;
  throw usage(
    `${folder} is not empty`,
    "name another folder with --to, or pass --force to overwrite what is in the way",
  );
}

type Result = {
  readonly snapshot: OpenSnapshot;
  readonly folder: string;
  readonly came: readonly Came[];
  readonly failed: readonly Failed[];
};

function report({ snapshot, folder, came, failed }: Result, { output }: OutputOptions): void {
  const { namespace, name, partial } = snapshot;
  const files = came.reduce((sum, one) => sum + one.files, 0);
  const bytes = came.reduce((sum, one) => sum + one.bytes, 0);
  if (output === "json") {
    const failures = failed.map((one) => ({
      component: one.name,
      reason: one.error.reason,
      message: one.error.message,
    }));
    const answer = {
      snapshot: { namespace, name },
      to: folder,
      downloaded: came,
      failed: failures,
      partial: partial ?? null,
      files,
      bytes,
    };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  for (const one of came)
    process.stdout.write(
      `${oneLine(`${one.component} ${one.path}: ${one.files} files, ${formatSize(one.bytes)}, in ${one.at}`)}\n`,
    );
  process.stdout.write(
    `${snapshot.shown}: ${files} files, ${formatSize(bytes)} came; listed again, each is on disk with its size.\n`,
  );
  for (const { name: component, error } of failed)
    process.stderr.write(
      `holdfast: component ${oneLine(component)} did not come: ${oneLine(error.message)}\n${error.next === undefined ? "" : `  ${oneLine(error.next)}\n`}`,
    );
  if (partial !== undefined)
    process.stderr.write(
      `holdfast: the Snapshot is partial, a part of its source is not in it: ${oneLine(partial)}\n`,
    );
}
