import type { KubeObject } from "../../../api/meta.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import { complaintsOfObject } from "../../complaints.ts";
import { fieldOf, textOf } from "../../field-of.ts";
import { resultsOf } from "../../restore-ends.ts";
import {
  clusterOption,
  type KubeOptions,
  type OutputOptions,
  ownNamespaceOf,
  ownNamespaceOption,
  type PassOptions,
  type RemoteOptions,
  requireCluster,
  withKube,
  withOutput,
} from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions &
  OutputOptions &
  Pick<PassOptions, "ownNamespace"> &
  Pick<RemoteOptions, "cluster"> & { readonly namespace?: string };

const kinds = [
  "BackupStorage",
  "Repository",
  "BackupConfiguration",
  "BackupSession",
  "RestoreSession",
  "BackupBatch",
  "BackupVerificationSession",
] as const;

/** A session says itself only that it failed; its Snapshots say why. */
function snapshotsOf(object: KubeObject, snapshots: readonly KubeObject[]): readonly KubeObject[] {
  if (object.kind !== "BackupSession") return [];
  return snapshots.filter(
    (one) =>
      one.metadata.namespace === object.metadata.namespace &&
      fieldOf(one, "spec", "backupSession") === object.metadata.name,
  );
}

export const addStatus: AddCommand = (program, shell) => {
  const command = program
    .command("status")
    .description("what is Ready, what ran last, and what is wrong")
    .option("-n, --namespace <name>", "only this namespace")
    .addHelpText("after", "\nExample:\n  holdfast status --kubeconfig ~/.kube/config");
  command.addOption(clusterOption("whether the remote is there for this name of the cluster only"));
  withOutput(withKube(command).addOption(ownNamespaceOption())).action(async (options: Options) => {
    const { openCluster } = await import("../open-cluster.ts");
    const { listKind } = await import("../list-kind.ts");
    const { readRemoteNotes, remoteLines } = await import("../remote-notes.ts");
    const { age, table } = await import("../table.ts");
    const kube = await openCluster(options);
    const scope = { signal: shell.signal, ...(options.namespace ? { namespace: options.namespace } : {}) };
    const objects = (await Promise.all(kinds.map((kind) => listKind(kube, kind, scope)))).flat();
    const snapshots = await listKind(kube, "Snapshot", scope);
    const notes = {
      namespace: ownNamespaceOf(options),
      cluster: options.cluster ? requireCluster(options) : undefined,
    };
    const remote = await readRemoteNotes(kube, notes, shell.signal);
    const rows = objects.map((object) => ({
      kind: object.kind,
      namespace: object.metadata.namespace ?? "",
      name: object.metadata.name,
      phase: textOf(object, "status", "phase"),
      age: age(object.metadata.creationTimestamp, Date.now()),
      message: [object, ...snapshotsOf(object, snapshots)].flatMap(complaintsOfObject).join("; "),
      ...(object.kind === "RestoreSession" ? { results: resultsOf(object["status"]) } : {}),
    }));
    if (options.output === "json")
      process.stdout.write(`${JSON.stringify({ objects: rows, remote }, null, 2)}\n`);
    else if (rows.length === 0)
      process.stdout.write(
        `There is nothing in ${options.namespace === undefined ? "this cluster" : `namespace ${options.namespace}`} yet.\n`,
      );
    else
      process.stdout.write(
        table(
          ["kind", "namespace", "name", "phase", "age", "message"],
          rows.map((row) => [row.kind, row.namespace, row.name, row.phase, row.age, row.message]),
        ),
      );
    if (options.output === "text") for (const line of remoteLines(remote)) process.stdout.write(`${line}\n`);
    if (
      remote.away.length > 0 ||
      remote.refused.length > 0 ||
      rows.some((row) => ["Failed", "Invalid", "NotReady", "Unknown"].includes(row.phase))
    )
      shell.setExitCode(ExitCode.failed);
  });
};
