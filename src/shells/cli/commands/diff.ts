import { type KubeOptions, type OutputOptions, withKube, withOutput } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = KubeOptions &
  OutputOptions & {
    readonly namespace?: string;
    readonly component?: string;
    readonly cluster?: boolean;
    readonly exitCode?: boolean;
  };

export const addDiff: AddCommand = (program, shell) => {
  const command = program
    .command("diff")
    .description("which files two Snapshots have in other ways, and which fields of manifests")
    .argument("<before>", "Snapshot, as NAME or NAMESPACE/NAME")
    .argument("[after]", "the other one")
    .option("-n, --namespace <name>", "namespace of the Snapshots (that of the context)")
    .option("--component <name>", "only this component (all of them)")
    .option("--cluster", "compare the manifests of one Snapshot with the cluster as it is now")
    .option("--exit-code", "end with 4 when they differ")
    .addHelpText(
      "after",
      "\nWithin one restic repository, changed means other content; between two, another size, type or time.\nOf changed manifests the fields are shown, of Secrets digests in place of values, made anew in every run.\n--cluster tells what became of the objects in the Snapshot; it looks for no others, and at no status.\n\nExamples:\n  holdfast diff -n shop shop-data-hourly-1754041620 shop-data-hourly-1754045220 --component dump\n  holdfast diff -n shop shop-manifests-hourly-1754041620 --cluster",
    );
  withOutput(withKube(command), "yaml", "markdown").action(
    async (before: string, after: string | undefined, options: Options) => {
      if ((after === undefined) !== (options.cluster === true)) {
        const { usage } = await import("../usage.ts");
        throw usage(
          "diff compares two Snapshots, or one with --cluster",
          "name the other one, or add --cluster",
        );
      }
      if (after === undefined) {
        const { compareWithCluster } = await import("../diff-manifests.ts");
        return await compareWithCluster(before, options, shell);
      }
      const { compareSnapshots } = await import("../compare-snapshots.ts");
      await compareSnapshots([before, after], options, shell);
    },
  );
};
