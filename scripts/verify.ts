import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const tool = (name: string) => join(root, "node_modules/.bin", name);

type Check = { readonly name: string; readonly command: string; readonly args: readonly string[] };

/** In the order in which a mistake is cheapest to find. */
const checks: readonly Check[] = [
  { name: "generate", command: process.execPath, args: ["scripts/generate.ts"] },
  { name: "format", command: tool("biome"), args: ["check", "."] },
  { name: "lint", command: tool("oxlint"), args: ["--type-aware", "src", "test", "scripts", "bin"] },
  { name: "types", command: tool("tsc"), args: ["-p", "tsconfig.json"] },
  { name: "dead code", command: tool("knip"), args: [] },
  { name: "tests", command: tool("vitest"), args: ["run", "--project", "architecture", "--project", "unit"] },
];

process.exitCode = verify();

/** Runs every check, so that one look shows all that is wrong; 1 when any of them failed. */
function verify(): number {
  const failed = checks.filter(({ name, command, args }) => {
    console.log(`\n== ${name}`);
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
    if (error) console.error(`${command}: ${error.message}`);
    return status !== 0;
  });
  const dirty = changedFiles();
  if (dirty !== "") console.log(`\n== tree\nNot committed, or generated anew:\n${dirty}`);
  const names = [...failed.map(({ name }) => name), ...(dirty === "" ? [] : ["tree"])];
  console.log(names.length === 0 ? "\nverified" : `\nfailed: ${names.join(", ")}`);
  return names.length === 0 ? 0 : 1;
}

function changedFiles(): string {
  const { stdout, status } = spawnSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trimEnd() : "this is no Git work tree";
}
