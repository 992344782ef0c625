import { readFileSync } from "node:fs";

export type ResourceUsage = { readonly peakMiB: number; readonly cpuMs: number };

/** The environment that has a Node.js process say in `file`, at its end, what it took. */
export function usageInto(file: string): Readonly<Record<string, string>> {
  const script = `import fs from "node:fs"; process.on("exit", () => fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.resourceUsage())));`;
  return { NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString("base64")}` };
}

export function usageIn(file: string): ResourceUsage {
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(
    readFileSync(file, "utf8"),
  ) as NodeJS.ResourceUsage;
  return { peakMiB: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 };
}
