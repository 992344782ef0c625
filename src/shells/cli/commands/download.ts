import { type KubeOptions, type OutputOptions, withKube, withOutput } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions &
  OutputOptions & {
    readonly namespace?: string;
    readonly component?: string;
    readonly path?: string;
    readonly to: string;
    readonly force?: boolean;
  };

export const addDownload: AddCommand = (program, shell) => {
  const command = program
    .command("download")
    .description(
      "bring what a Snapshot holds to a folder of this machine, with restic, and prove that it came",
    )
    .argument("<snapshot>", "Snapshot, as NAME or NAMESPACE/NAME")
    .requiredOption("--to <folder>", "where to: COMPONENT/PATH-IN-THE-POD below it; made when absent")
    .option("-n, --namespace <name>", "namespace of the Snapshot (that of the context)")
    .option("--component <name>", "only this component (all of them)")
    .option("--path <path>", "only this file or folder, as the pod had it")
    .option("--force", "into a folder that is not empty; what is in the way is overwritten")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast download shop/shop-data-hourly-1754041620 --component dump --path /data/orders --to ./orders",
    );
  withOutput(withKube(command)).action(async (snapshot: string, options: Options) => {
    const { downloadSnapshot } = await import("../download-snapshot.ts");
    await downloadSnapshot(snapshot, options, shell);
  });
};
