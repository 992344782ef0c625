import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { KubeObject } from "../../../api/meta.ts";
import { toHoldfastError } from "../../../base/errors.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import type { Remote } from "../../../ports/git/remote.ts";
import {
  type KubeOptions,
  type OutputOptions,
  type RemoteOptions,
  withKube,
  withOutput,
  withRemote,
} from "../remote-options.ts";
import type { AddCommand, Shell } from "../shell.ts";

type Options = RemoteOptions &
  KubeOptions &
  OutputOptions & {
    readonly repository?: string;
    readonly again?: string;
    readonly snapshot: string;
    readonly component: readonly string[];
    readonly file?: string;
    readonly commit?: boolean;
    readonly param: readonly string[];
    readonly dryRun?: boolean;
  };

export const addRestore: AddCommand = (program, shell) => {
  const command = program
    .command("restore")
    .description("write a RestoreSession: to the terminal, to a file, or as a commit that declares it")
    .argument("[name]", "name of the restore; it runs once under this name")
    .option("--repository <namespace/name>", "what to restore from")
    .option("--snapshot <name>", "a Snapshot, or the newest good one", "latest")
    .option(
      "--component <name>",
      "only this component; may be given again",
      (one: string, all: readonly string[]) => [...all, one],
      [],
    )
    .option(
      "--param <name=value>",
      "a parameter of the task that restores, such as OverrideResources=true; may be given again",
      (one: string, all: readonly string[]) => [...all, one],
      [],
    )
    .option("--dry-run", "write nothing, and show what it would do with every object of its manifests")
    .option("--again <name>", "the declared restore [NAMESPACE/]NAME under a new name")
    .option("--file <path>", "write it to this file, once its name was compared with the record")
    .option("--commit", "commit it to the branch, as restores/NAMESPACE/NAME.yaml in the cluster's folder")
    .addHelpText(
      "after",
      "\nExamples:\n  holdfast restore shop-back --repository shop/shop-manifests --param OverrideResources=true --dry-run\n  holdfast restore shop-back --repository shop/shop-data --cluster demo --file clusters/demo/restores/shop/shop-back.yaml\n  holdfast restore --again shop-back --cluster demo --commit",
    );
  withOutput(withKube(withRemote(command))).action(async (name: string | undefined, options: Options) => {
    const { usage } = await import("../usage.ts");
    if (options.again === undefined && (name === undefined || options.repository === undefined))
      throw usage(
        "a restore needs a name and --repository, or --again",
        "run holdfast restore --help for examples",
      );
    if (name !== undefined && !dnsName.test(name))
      throw usage(`${name} is no name for a restore`, "use small letters, digits, dashes and dots");
    const made =
      options.again === undefined
        ? await fresh(name ?? "", options, shell)
        : await again(options.again, name, options, shell);
    const { withParams } = await import("../restore-params.ts");
    const object = withParams(made, options.param);
    if (options.dryRun === true) return await preview(object, options, shell);
    const { dump } = await import("js-yaml");
    const text = dump(object, { noRefs: true, lineWidth: -1 });
    if (options.commit === true) return commit(object, text, options, shell);
    if (options.file !== undefined) {
      await refuseUsed(object, options, shell);
      await writeNew(options.file, text).catch((cause: unknown) => {
        throw usage(
          `${options.file} cannot be written: ${cause instanceof Error ? cause.message : ""}`,
          "choose a file that does not exist, in a folder that may be written",
        );
      });
      process.stdout.write(`Wrote ${options.file}. It runs once when it is merged.\n`);
    } else {
      await refuseUsed(object, options, shell).catch((thrown: unknown) => warnUncompared(thrown, shell));
      process.stdout.write(options.output === "json" ? `${JSON.stringify(object, null, 2)}\n` : text);
    }
  });
};

async function preview(object: KubeObject, options: Options, shell: Shell): Promise<void> {
  if (options.commit === true || options.file !== undefined) {
    const { usage } = await import("../usage.ts");
    throw usage("--dry-run writes nothing", "leave --commit and --file out, or --dry-run");
  }
  const { readerContext } = await import("../reader-context.ts");
  const { previewRestore } = await import("../preview-restore.ts");
  const { previewLines } = await import("../render-outcomes.ts");
  const told = await previewRestore(await readerContext(options, shell), object);
  process.stdout.write(
    options.output === "json" ? `${JSON.stringify(told, null, 2)}\n` : `${previewLines(told).join("\n")}\n`,
  );
  // The restore itself would end as Failed.
  if (told.objects.some(({ did }) => did === "failed")) shell.setExitCode(ExitCode.failed);
}

async function writeNew(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flag: "wx" });
}

const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

async function fresh(name: string, options: Options, shell: Shell): Promise<KubeObject> {
  const { openCluster } = await import("../open-cluster.ts");
  const { restoreSessionFor } = await import("../write-restore.ts");
  const kube = await openCluster(options);
  const request = {
    name,
    repository: options.repository ?? "",
    snapshot: options.snapshot,
    components: options.component,
  };
  return restoreSessionFor(kube, request, shell.signal);
}

async function again(
  which: string,
  name: string | undefined,
  options: Options,
  shell: Shell,
): Promise<KubeObject> {
  const { readBranch } = await import("../commit-change.ts");
  const { restoreAgain } = await import("../restore-again.ts");
  return restoreAgain(await readBranch(options, shell), { which, name }, shell.signal);
}

/** Whoever gets it declares it later, and then its name must not have been used. */
async function refuseUsed(object: KubeObject, options: Options, shell: Shell): Promise<void> {
  const { readBranch } = await import("../commit-change.ts");
  const { refuseUsedName } = await import("../restore-again.ts");
  warnOfAge(await refuseUsedName(await readBranch(options, shell), object, shell.signal));
}

/** In the hour of a disaster the remote may be away; whoever sees the restore decides where it goes. */
function warnUncompared(thrown: unknown, shell: Shell): void {
  const { reason, message, disposition, exitCode } = toHoldfastError(thrown);
  const isMistake = exitCode === ExitCode.usage && reason !== "ClusterRequired";
  if (isMistake || disposition === "bug" || shell.signal.aborted) throw thrown;
  process.stderr.write(
    `warning: the name was not compared with the record, and one that was used before never runs: ${message}\n`,
  );
}

/** What was claimed after the record was fetched counts as free. */
function warnOfAge(comparedWith: string | undefined): void {
  if (comparedWith === undefined) return;
  process.stderr.write(
    `warning: the name was compared with ${comparedWith}; one that was claimed since is not known, so fetch the record first, or name the origin with --remote\n`,
  );
}

async function commit(object: KubeObject, text: string, options: Options, shell: Shell): Promise<void> {
  const { commitChange } = await import("../commit-change.ts");
  const { refuseUsedName } = await import("../restore-again.ts");
  let path = "";
  let comparedWith: string | undefined;
  const made = await commitChange(options, shell, async (branch) => {
    const { remote, declared } = branch;
    comparedWith = await refuseUsedName(branch, object, shell.signal);
    const folder = declared.settings.path === "" ? "restores" : `${declared.settings.path}/restores`;
    // As in the record: restores of one name in two namespaces are two.
    path = `${folder}/${object.metadata.namespace}/${object.metadata.name}.yaml`;
    await refuseExisting(remote, declared.revision.commit, path, shell);
    const message = `Restore ${object.metadata.namespace}/${object.metadata.name}\n`;
    return { file: { path, content: text }, message };
  });
  warnOfAge(comparedWith);
  process.stdout.write(`Committed ${path} as ${made?.slice(0, 12)}. It runs once.\n`);
}

async function refuseExisting(remote: Remote, tip: string, path: string, shell: Shell): Promise<void> {
  const { usage } = await import("../usage.ts");
  const folder = path.slice(0, path.lastIndexOf("/"));
  const files = (await remote.files(tip, folder, shell.signal)) ?? [];
  if (files.some((file) => file.path === path))
    throw usage(`${path} exists already`, "choose another name: a restore runs once under its name");
}
