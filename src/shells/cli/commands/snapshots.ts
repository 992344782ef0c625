import { type KubeOptions, type OutputOptions, withKube, withOutput } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions & OutputOptions & { readonly namespace?: string; readonly repository?: string };

export const addSnapshots: AddCommand = (program, shell) => {
  const command = program
    .command("snapshots")
    .description("the Snapshots there are, newest first, and how each of them ended")
    .option("-n, --namespace <name>", "only this namespace")
    .option("--repository <name>", "only this Repository")
    .addHelpText("after", "\nExample:\n  holdfast snapshots -n shop --repository shop-data");
  withOutput(withKube(command)).action(async (options: Options) => {
    const { openCluster } = await import("../open-cluster.ts");
    const { fieldOf, textOf } = await import("../../field-of.ts");
    const { listKind } = await import("../list-kind.ts");
    const { age, table } = await import("../table.ts");
    const kube = await openCluster(options);
    const scope = { signal: shell.signal, ...(options.namespace ? { namespace: options.namespace } : {}) };
    const time = (object: unknown) => String(fieldOf(object, "status", "snapshotTime") ?? "");
    const snapshots = (await listKind(kube, "Snapshot", scope))
      .filter(
        (one) =>
          options.repository === undefined || fieldOf(one, "spec", "repository") === options.repository,
      )
      .sort((a, b) => (time(a) < time(b) ? 1 : -1));
    const rows = snapshots.map((snapshot) => {
      const conditions = fieldOf(snapshot, "status", "conditions");
      const notes = (Array.isArray(conditions) ? conditions : [])
        .filter((one) => ["Partial", "SourceShrunk"].includes(one.type) && one.status === "True")
        .map((one) => String(one.type));
      return {
        namespace: snapshot.metadata.namespace ?? "",
        name: snapshot.metadata.name,
        repository: textOf(snapshot, "spec", "repository"),
        session: textOf(snapshot, "spec", "session"),
        phase: textOf(snapshot, "status", "phase"),
        size: textOf(snapshot, "status", "size"),
        time: time(snapshot) || "-",
        components: Object.keys(fieldOf(snapshot, "status", "components") ?? {}),
        notes,
      };
    });
    if (options.output === "json") process.stdout.write(`${JSON.stringify({ snapshots: rows }, null, 2)}\n`);
    else if (rows.length === 0)
      process.stdout.write(
        `There are no Snapshots${options.repository === undefined ? "" : ` of a Repository ${options.repository}`}${options.namespace === undefined ? "" : ` in namespace ${options.namespace}`}.\n`,
      );
    else
      process.stdout.write(
        table(
          ["namespace", "name", "repository", "phase", "size", "age", "components", "notes"],
          rows.map((row) => [
            row.namespace,
            row.name,
            row.repository,
            row.phase,
            row.size,
            age(row.time, Date.now()),
            row.components.join(","),
            row.notes.join(","),
          ]),
        ),
      );
  });
};
