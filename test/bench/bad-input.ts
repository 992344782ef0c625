import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { oneLine } from "../../src/base/printable.ts";
import { type GitRepository, gitDirectory } from "../support/git-remote.ts";
import { commitHostile, type HostileEntry, hostileEntries, policyText } from "../support/hostile-files.ts";
import { usageIn, usageInto } from "../support/resource-usage.ts";
import { type Bench, type Figure, figure, median, type Place, rounded } from "./bench.ts";
import { timedProcess } from "./timed-process.ts";

const runs = 3;
/** What one bad input may cost the command in all, in CPU time, which others on the machine change least, and memory. */
const bounds = { cpuMs: 1_000, peakMiB: 200 };

const good: HostileEntry = { name: "good.yaml", content: policyText("good") };
const many = Array.from({ length: 5_000 }, (_, n) => policyText(`p${n}`)).join("---\n");

/** What stands beside a good file; the last ones are no errors in a file. */
const inputs: readonly { readonly entry: HostileEntry; readonly branch?: string; readonly code?: 0 }[] = [
  ...hostileEntries.map((entry) => ({ entry })),
  { entry: { name: "..", content: policyText("parent") } },
  { entry: { mode: "160000", name: "module", oid: "1".repeat(40) } },
  { entry: { mode: "120000", name: "symlink.yaml", content: "/etc/passwd" } },
  { entry: { name: "no branch", content: "" }, branch: "absent" },
  { entry: { name: "5,000 documents", content: many }, code: 0 },
];

export const badInput: Bench = {
  name: "bad-input",
  about: `validate beside one bad input, each in a process of its own, against Node.js's own start; at most ${bounds.cpuMs} ms of CPU and ${bounds.peakMiB} MiB`,
  async run(place) {
    const root = gitDirectory();
    try {
      const floor = await taken(place, ["-e", "0"], 0);
      const figures: Figure[] = [];
      for (const input of inputs) figures.push(await measure(place, root.repository(), { input, floor }));
      return figures;
    } finally {
      await root.close();
    }
  },
};

type Taken = { readonly cpuMs: readonly number[]; readonly wallMs: number; readonly peakMiB: number };

async function measure(
  place: Place,
  repository: GitRepository,
  { input, floor }: { readonly input: (typeof inputs)[number]; readonly floor: Taken },
): Promise<Figure> {
  const { entry, branch = "main", code = 1 } = input;
  const file = /^(no branch|5,000)/.test(entry.name) ? { ...entry, name: "x.yaml" } : entry;
  commitHostile(repository, [good, file]);
  const flags = ["--remote", repository.url, "--branch", branch, "--cluster", "lab"];
  const ours = await taken(place, [place.built.entry, "validate", ...flags], code);
  const cpuMs = median(ours.cpuMs);
  const over = [
    ...(cpuMs > bounds.cpuMs ? [`${rounded(cpuMs)} ms of CPU, over ${bounds.cpuMs} ms`] : []),
    ...(ours.peakMiB > bounds.peakMiB ? [`${rounded(ours.peakMiB)} MiB, over ${bounds.peakMiB} MiB`] : []),
  ];
  const also = {
    wallMs: rounded(ours.wallMs),
    floorWallMs: rounded(floor.wallMs),
    peakMiB: rounded(ours.peakMiB),
    floorPeakMiB: rounded(floor.peakMiB),
  };
  const name = `bad-input ${oneLine(entry.name)}`;
  const values = { ours: ours.cpuMs, floor: floor.cpuMs };
  const told = figure(name, "ms", values, { against: "CPU of node -e 0", also });
  return over.length === 0 ? told : { ...told, exceeds: over.join(", ") };
}

/** Of several runs, each with an empty cache. */
async function taken({ home }: Place, args: readonly string[], exitCode: number): Promise<Taken> {
  const usages = [];
  const walls: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const own = join(home, randomBytes(6).toString("hex"));
    const env = { ...usageInto(`${own}.json`), XDG_CACHE_HOME: own };
    walls.push((await timedProcess(process.execPath, args, { env, exitCode })).wallMs);
    usages.push(usageIn(`${own}.json`));
  }
  return {
    cpuMs: usages.map((one) => one.cpuMs),
    wallMs: median(walls),
    peakMiB: Math.max(...usages.map((one) => one.peakMiB)),
  };
}
