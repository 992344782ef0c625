import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { badInput } from "./bad-input.ts";
import type { Bench, Figure, Place } from "./bench.ts";
import { buildPackage } from "./built-package.ts";
import { cliStart } from "./cli-start.ts";
import { declaredFolder } from "./declared-folder.ts";
import { embeddedStart } from "./embedded-start.ts";
import { manifestDump } from "./manifest-dump.ts";
import { manifestRestore } from "./manifest-restore.ts";
import { noopPasses } from "./noop-pass.ts";
import { recordAppend } from "./record-append.ts";
import { volumeBackup } from "./volume-backup.ts";

const benches: readonly Bench[] = [
  cliStart,
  badInput,
  embeddedStart,
  recordAppend,
  declaredFolder,
  ...noopPasses,
  manifestDump,
  manifestRestore,
  volumeBackup,
];

process.exitCode = await main();

/**
 * `npm run bench [-- NAME…] [--json] [--objects 1000,10000,50000]`: medians beside a floor or a peer on the same work
 * in the same run.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      objects: { type: "string", default: "1000" },
    },
  });
  if (values.list) {
    for (const { name, about } of benches) console.log(`${name.padEnd(18)} ${about}`);
    return 0;
  }
  const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no bench ${unknown.join(", ")}; there are ${benches.map((one) => one.name).join(", ")}.`,
    );
    return 2;
  }
  const objects = values.objects.split(",").map(Number);
  if (objects.some((size) => !Number.isInteger(size) || size < 1_000)) {
    console.error("--objects takes whole numbers of at least 1000, separated by commas.");
    return 2;
  }
  const built = await buildPackage();
  const wanted = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let failed = 0;
  try {
    for (const bench of wanted)
      failed += (await told(bench, { built, objects: objects.toSorted((a, b) => a - b) }, values.json))
        ? 0
        : 1;
  } finally {
    built.remove();
  }
  return failed === 0 ? 0 : 1;
}

/** Runs one and prints its figures; one that fails does not stop the others. */
async function told(bench: Bench, place: Omit<Place, "home">, json: boolean): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  try {
    if (!json) console.log(`\n${bench.name}: ${bench.about}`);
    const figures = await bench.run({ ...place, home });
    for (const one of figures) console.log(json ? JSON.stringify(one) : lineOf(one));
    const over = figures.filter(({ exceeds }) => exceeds !== undefined);
    for (const { name, exceeds } of over) console.error(`${name}: BOUND EXCEEDED: ${exceeds}`);
    return over.length === 0;
  } catch (error) {
    console.error(`${bench.name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function lineOf({ name, median, unit, floor, ratio, against, also = {} }: Figure): string {
  const more = Object.entries(also).map(([key, value]) => `${key} ${value}`);
  const [value, other] = [`${median} ${unit}`, `${floor} ${unit}`];
  return `  ${name.padEnd(28)} ${value.padStart(14)}  ${other.padStart(14)} (${against})  x${ratio}${more.length > 0 ? `  [${more.join(", ")}]` : ""}`;
}
