import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { KubeObject } from "../../../api/meta.ts";
import type { Settings } from "../../../pass/declared/settings.ts";
import type { Remote } from "../../../ports/git/remote.ts";
import { type KubeOptions, type RemoteOptions, withKube, withRemote } from "../remote-options.ts";
import type { AddCommand, Shell } from "../shell.ts";

type Options = RemoteOptions &
  KubeOptions & {
    readonly repository?: string;
    readonly again?: string;
    readonly snapshot: string;
    readonly component: readonly string[];
    readonly file?: string;
    readonly commit?: boolean;
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
    .option("--again <name>", "the declared restore [NAMESPACE/]NAME under a new name")
    .option("--file <path>", "write it to this file")
    .option("--commit", "commit it to the branch, into the cluster's folder restores/")
    .addHelpText(
      "after",
      "\nExamples:\n  holdfast restore shop-back --repository shop/shop-data --file clusters/demo/restores/shop-back.yaml\n  holdfast restore --again shop-back --cluster demo --commit",
    );
  withKube(withRemote(command)).action(async (name: string | undefined, options: Options) => {
    const { usage } = await import("../usage.ts");
    if (options.again === undefined && (name === undefined || options.repository === undefined))
      throw usage(
        "a restore needs a name and --repository, or --again",
        "run holdfast restore --help for examples",
      );
    if (name !== undefined && !dnsName.test(name))
      throw usage(`${name} is no name for a restore`, "use small letters, digits, dashes and dots");
    const object =
      options.again === undefined
        ? await fresh(name ?? "", options, shell)
        : await again(options.again, name, options, shell);
    const { dump } = await import("js-yaml");
    const text = dump(object, { noRefs: true, lineWidth: -1 });
    if (options.commit === true) await commit(object, text, options, shell);
    else if (options.file !== undefined) {
      await writeNew(options.file, text).catch((cause: unknown) => {
        throw usage(
          `${options.file} cannot be written: ${cause instanceof Error ? cause.message : ""}`,
          "choose a file that does not exist, in a folder that may be written",
        );
      });
      process.stdout.write(`Wrote ${options.file}. It runs once when it is merged.\n`);
    } else process.stdout.write(text);
  });
};

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

/** A name that ran never runs again, so the same restore is declared under the next free one. */
async function again(
  which: string,
  name: string | undefined,
  options: Options,
  shell: Shell,
): Promise<KubeObject> {
  const { readBranch } = await import("../commit-change.ts");
  const { remote, declared } = await readBranch(options, shell);
  const { usage } = await import("../usage.ts");
  const restores = declared.documents.map((one) => one.object).filter((one) => one.kind === "RestoreSession");
  const found = restores.find(
    (one) => one.metadata.name === which || `${one.metadata.namespace}/${one.metadata.name}` === which,
  );
  if (found === undefined)
    throw usage(
      `no RestoreSession ${which} is declared on ${options.branch}`,
      `declared are: ${restores.map((one) => one.metadata.name).join(", ") || "none"}`,
    );
  const base = found.metadata.name.replace(/-again-\d+$/, "");
  const same = restores.filter(
    (one) =>
      one.metadata.namespace === found.metadata.namespace &&
      one.metadata.name.replace(/-again-\d+$/, "") === base,
  );
  // A name that ran once is taken for ever, also when its file is gone: the record knows.
  const recorded = await recordedRestores(remote, declared.settings, options.branch, shell);
  const waiting = same.find((one) => !recorded.has(`${one.metadata.namespace}/${one.metadata.name}`));
  if (waiting !== undefined && name === undefined)
    throw usage(
      `RestoreSession ${waiting.metadata.namespace}/${waiting.metadata.name} is declared on ${options.branch} and has not run yet`,
      `let it run first; for a second one beside it give it a name: holdfast restore NAME --again ${which}`,
    );
  const names = [...recorded].map((one) => one.slice(one.indexOf("/") + 1));
  const taken = new Set([...restores.map((one) => one.metadata.name), ...names]);
  let number = 1;
  while (taken.has(`${base}-again-${number}`)) number += 1;
  const { namespace } = found.metadata;
  return {
    apiVersion: found.apiVersion,
    kind: found.kind,
    metadata: { name: name ?? `${base}-again-${number}`, ...(namespace ? { namespace } : {}) },
    spec: found["spec"],
  };
}

/** `namespace/name` of the restores that were claimed. */
async function recordedRestores(
  remote: Remote,
  { record, cluster }: Settings,
  branch: string,
  shell: Shell,
): Promise<ReadonlySet<string>> {
  const { clusterFolder, parseEntryPath } = await import("../../../api/record-layout.ts");
  const prefix = record.kind === "folder" && record.folder !== "" ? `${record.folder}/` : "";
  const tip = await remote.tip(record.kind === "branch" ? record.branch : branch, shell.signal);
  const files =
    tip === undefined
      ? []
      : ((await remote.files(tip, `${prefix}${clusterFolder(cluster)}/restores`, shell.signal)) ?? []);
  const entries = files.flatMap((file) => parseEntryPath(file.path.slice(prefix.length)) ?? []);
  return new Set(entries.map(({ namespace, name }) => `${namespace}/${name}`));
}

async function commit(object: KubeObject, text: string, options: Options, shell: Shell): Promise<void> {
  const { commitChange } = await import("../commit-change.ts");
  let path = "";
  const made = await commitChange(options, shell, async ({ remote, declared }) => {
    const folder = declared.settings.path === "" ? "restores" : `${declared.settings.path}/restores`;
    path = `${folder}/${object.metadata.name}.yaml`;
    await refuseExisting(remote, declared.revision.commit, path, shell);
    const message = `Restore ${object.metadata.namespace}/${object.metadata.name}\n`;
    return { file: { path, content: text }, message };
  });
  process.stdout.write(`Committed ${path} as ${made?.slice(0, 12)}. It runs once.\n`);
}

async function refuseExisting(remote: Remote, tip: string, path: string, shell: Shell): Promise<void> {
  const { usage } = await import("../usage.ts");
  const folder = path.slice(0, path.lastIndexOf("/"));
  const files = (await remote.files(tip, folder, shell.signal)) ?? [];
  if (files.some((file) => file.path === path))
    throw usage(`${path} exists already`, "choose another name: a restore runs once under its name");
}
