import { type KubeOptions, type OutputOptions, withKube, withOutput } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions &
  OutputOptions & { readonly namespace?: string; readonly component?: string; readonly exitCode?: boolean };

export const addDiff: AddCommand = (program, shell) => {
  const command = program
    .command("diff")
    .description("which files two Snapshots have in other ways: added, removed and changed ones, with sizes")
    .argument("<before>", "Snapshot, as NAME or NAMESPACE/NAME")
    .argument("<after>", "the other one")
    .option("-n, --namespace <name>", "namespace of the Snapshots (that of the context)")
    .option("--component <name>", "only this component (all of them)")
    .option("--exit-code", "end with 4 when they differ")
    .addHelpText(
      "after",
      "\nWithin one restic repository, changed means other content; between two, another size, type or time.\n\nExample:\n  holdfast diff -n shop shop-data-hourly-1754041620 shop-data-hourly-1754045220 --component dump",
    );
  withOutput(withKube(command), "yaml", "markdown").action(
    async (before: string, after: string, options: Options) => {
      const { compareSnapshots } = await import("../compare-snapshots.ts");
      await compareSnapshots([before, after], options, shell);
    },
  );
};
