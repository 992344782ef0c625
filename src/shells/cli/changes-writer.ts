import { formatSize } from "../../api/size.ts";
import { oneLine } from "../../base/printable.ts";
import type { FieldChange } from "../../mover/manifests/object-outcome.ts";
import type { NodeChange } from "./compare-nodes.ts";
import type { OutputOptions } from "./remote-options.ts";
import { fieldLine } from "./render-outcomes.ts";
import { inert } from "./render-plan.ts";

export type ComponentChange = NodeChange & {
  readonly component: string;
  /** Of a changed manifest, what changed in it. */
  readonly fields?: readonly FieldChange[];
};

type Sum = { files: number; bytes: number };

/** Files only; folders and links are in the list and not in the sums. */
export type ChangeTotals = {
  readonly added: Sum;
  readonly removed: Sum;
  readonly changed: { files: number; bytesBefore: number; bytesAfter: number };
};

/** Writes a comparison while it is made: nothing of it is kept but the sums. */
export type ChangesWriter = {
  begin(from: string, to: string): Promise<void>;
  change(change: ComponentChange): Promise<void>;
  end(totals: ChangeTotals): Promise<void>;
};

type Write = (text: string) => Promise<void>;

/** JSON and YAML say the same: `from`, `to`, `changes`, `totals`. */
export function changesWriter(format: OutputOptions["output"], write: Write): ChangesWriter {
  return { text: textWriter, json: jsonWriter, yaml: yamlWriter, markdown: markdownWriter }[format](write);
}

function textWriter(write: Write): ChangesWriter {
  let component: string | undefined;
  return {
    begin: (from, to) => write(`${from} -> ${to}\n`),
    async change(one) {
      if (one.component !== component) await write(`${one.component}:\n`);
      component = one.component;
      await write(
        `  ${{ added: "+", removed: "-", changed: "M" }[one.change]} ${nameOf(one)}${sizes(one, "  ")}\n`,
      );
      for (const field of one.fields ?? []) await write(`      ${fieldLine(field)}\n`);
    },
    end: (totals) => write(`${sentence(totals, component === undefined)}\n`),
  };
}

function jsonWriter(write: Write): ChangesWriter {
  let first = true;
  return {
    begin: (from, to) => write(`{"from":${JSON.stringify(from)},"to":${JSON.stringify(to)},"changes":[`),
    async change(one) {
      await write(`${first ? "" : ","}\n${JSON.stringify(one)}`);
      first = false;
    },
    end: (totals) => write(`\n],"totals":${JSON.stringify(totals)}}\n`),
  };
}

/** JSON's text is YAML's too, so every name is quoted as it has to be. */
function yamlWriter(write: Write): ChangesWriter {
  let none = true;
  return {
    begin: (from, to) => write(`from: ${JSON.stringify(from)}\nto: ${JSON.stringify(to)}\n`),
    async change(one) {
      await write(`${none ? "changes:\n" : ""}- ${JSON.stringify(one)}\n`);
      none = false;
    },
    end: (totals) => write(`${none ? "changes: []\n" : ""}totals: ${JSON.stringify(totals)}\n`),
  };
}

function markdownWriter(write: Write): ChangesWriter {
  let none = true;
  return {
    begin: (from, to) => write(`### ${inert(from)} → ${inert(to)}\n\n`),
    async change(one) {
      if (none) await write("| change | component | path | size |\n| --- | --- | --- | --- |\n");
      none = false;
      await write(
        `| ${one.change} | ${inert(one.component)} | ${inert(nameOf(one))} | ${sizes(one, "")} |\n`,
      );
      for (const field of one.fields ?? []) await write(`| | | ${inert(fieldLine(field))} | |\n`);
    },
    end: (totals) => write(`${none ? "" : "\n"}${sentence(totals, none)}\n`),
  };
}

function nameOf({ path, type }: NodeChange): string {
  return `${oneLine(path)}${type === "dir" && path !== "/" ? "/" : ""}${type === "symlink" ? "@" : ""}`;
}

function sizes({ before, after }: NodeChange, gap: string): string {
  const shown = [before, after].flatMap((bytes) => (bytes === undefined ? [] : [formatSize(bytes)]));
  return shown.length === 0 ? "" : `${gap}${[...new Set(shown)].join(" -> ")}`;
}

function sentence({ added, removed, changed }: ChangeTotals, none: boolean): string {
  if (none) return "Nothing differs.";
  if (added.files + removed.files + changed.files === 0)
    return "No file differs; folders, links or devices do.";
  return [
    `${added.files} files added (${formatSize(added.bytes)})`,
    `${removed.files} removed (${formatSize(removed.bytes)})`,
    `${changed.files} changed (${formatSize(changed.bytesBefore)} -> ${formatSize(changed.bytesAfter)})`,
  ].join(", ");
}
