import { fileURLToPath } from "node:url";
import { Argument } from "commander";
import type { AddCommand } from "../shell.ts";

export const addCompletion: AddCommand = (program) => {
  program
    .command("completion")
    .description("a script by which a shell completes commands, options, and names in the cluster")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      "\nExamples:\n  source <(holdfast completion bash)\n  holdfast completion fish > ~/.config/fish/completions/holdfast.fish",
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript } = await import("../completion-script.ts");
      const entry = fileURLToPath(new URL("../../../../bin/holdfast.mjs", import.meta.url));
      process.stdout.write(completionScript(shell, [process.execPath, entry]));
    });
  program
    .command("complete-words", { hidden: true })
    .description("what could stand in the place of the last word; asked by the scripts of completion")
    .argument("[words...]", "the words behind the program's name")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: readonly string[]) => {
      const { completeWords } = await import("../complete-words.ts");
      const { clusterNames } = await import("../cluster-names.ts");
      const { oneLine } = await import("../../../base/printable.ts");
      const { candidates, files } = await completeWords(program, words, clusterNames);
      const lines = candidates.map(({ value, about }) => `${oneLine(value)}\t${oneLine(about)}\n`);
      process.stdout.write(`${lines.join("")}:${files ? 0 : 4}\n`);
    });
};
