import type { Addon, AddonTask } from "../../src/api/addon.ts";
import { catalogueAddons, catalogueFunctions, kubedumpAddon } from "../../src/api/catalogue.ts";
import { manifestTargets } from "../../src/api/manifest-target.ts";
import { generatedNote, table } from "./spec-page.ts";

/** docs/spec/catalogue.md: which tasks there are and what they can be told. */
export function cataloguePage(): string {
  const sections = [
    "# Catalogue of Addons",
    generatedNote,
    "`kubectl apply -f schemas/catalogue` brings these Addons and Functions; `holdfast up` has them already.\nValues of parameters are texts, and names are spelled as they stand here.",
    ...catalogueAddons.map(addonSection),
    `## Functions\n\n${table(
      ["Function", "arguments"],
      catalogueFunctions.map(({ metadata, spec }) => [
        `\`${metadata.name}\``,
        (spec.args ?? []).map((word) => `\`${word}\``).join(" "),
      ]),
    )}`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function addonSection({ metadata, spec }: Addon): string {
  const tasks = [
    ...(spec.backupTasks ?? []).map((task) => taskSection(task, "backup")),
    ...(spec.restoreTasks ?? []).map((task) => taskSection(task, "restore")),
  ];
  const about = metadata.name === kubedumpAddon.metadata.name ? [manifestTargets] : [];
  return [`## ${metadata.name}`, ...about, ...tasks].join("\n\n");
}

function taskSection(task: AddonTask, direction: string): string {
  const rows = (task.parameters ?? []).map((parameter) => [
    `\`${parameter.name}\``,
    parameter.required === true ? "required" : `\`"${parameter.default ?? ""}"\``,
    parameter.usage ?? "",
  ]);
  const where =
    task.singleton === true ? "one Job for the target" : "one Job per pod that holds data of its own";
  return `### ${task.name} (${direction})\n\nIt runs the Function \`${task.function}\` in ${where}.\n\n${table(["parameter", "default", "meaning"], rows)}`;
}
