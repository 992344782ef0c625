import { type KubeOptions, withKube } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions & { readonly namespace: string; readonly session: readonly string[] };

export const addBackup: AddCommand = (program, shell) => {
  const command = program
    .command("backup")
    .description("trigger a backup now, beside its schedule")
    .argument("<configuration>", "BackupConfiguration, as NAME or NAMESPACE/NAME")
    .option("-n, --namespace <name>", "namespace of the BackupConfiguration", "default")
    .option(
      "--session <name>",
      "only this session (all of them); may be given again",
      (one: string, all: readonly string[]) => [...all, one],
      [],
    )
    .addHelpText("after", "\nExample:\n  holdfast backup shop/shop-data --session hourly");
  withKube(command).action(async (configuration: string, options: Options) => {
    const { openCluster } = await import("../open-cluster.ts");
    const { resourceOf } = await import("../../../api/kinds.ts");
    const { createBackupSession } = await import("../../../mover/trigger-backup.ts");
    const { systemClock } = await import("../../../base/clock.ts");
    const { fieldOf } = await import("../../field-of.ts");
    const { objectName } = await import("../object-name.ts");
    const { usage } = await import("../usage.ts");
    const kube = await openCluster(options);
    const { namespace, name } = objectName(configuration, {
      kind: "BackupConfiguration",
      namespace: options.namespace,
    });
    const found = await kube.get(resourceOf("BackupConfiguration"), { namespace, name }, shell.signal);
    if (found === undefined)
      throw usage(
        `BackupConfiguration ${namespace}/${name} does not exist`,
        "see holdfast status for what there is",
      );
    const sessions = fieldOf(found, "spec", "sessions");
    const names = (Array.isArray(sessions) ? sessions : []).map((one) => String(one.name));
    const unknown = options.session.filter((one) => !names.includes(one));
    if (unknown.length > 0)
      throw usage(
        `BackupConfiguration ${namespace}/${name} has no session ${unknown.join(", ")}`,
        `it has ${names.join(", ")}`,
      );
    for (const session of options.session.length === 0 ? names : options.session) {
      const made = await createBackupSession(kube, found, session, {
        clock: systemClock,
        signal: shell.signal,
      });
      process.stdout.write(`Created BackupSession ${namespace}/${made.metadata.name}\n`);
    }
  });
};
