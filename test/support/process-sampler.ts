import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Canaries, canariesIn } from "./canary.ts";

/** What was seen of processes while the sampler ran. */
export type Samples = {
  /** Every command line, its arguments parted by spaces. */
  readonly commands: readonly string[];
  /** Which canary stood in whose environment, as `program first-argument: canary`. */
  readonly environments: readonly string[];
};

/**
 * Looks at `/proc` every few milliseconds in a process of its own, so that what lives for a moment is seen too.
 * Answers how to end it.
 */
export function startSampler(canaries: Canaries): () => Promise<Samples> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "sample"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {},
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin.write(`${JSON.stringify(canaries)}\n`);
  return async () => {
    child.stdin.end();
    await ended;
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  };
}

async function sample(): Promise<void> {
  let input = "";
  let over = false;
  process.stdin.setEncoding("utf8").on("data", (text) => {
    input += text;
  });
  process.stdin.once("end", () => {
    over = true;
  });
  while (!input.includes("\n")) await sleep(1);
  const canaries: Canaries = JSON.parse(input);
  const commands = new Set<string>();
  const environments = new Set<string>();
  // A process shows its parent's command line first, and lives on: each is looked at a few times, and again later.
  const looks = new Map<string, number>();
  for (let round = 0; !over; round += 1) {
    const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    for (const id of ids) {
      const seen = looks.get(id) ?? 0;
      looks.set(id, seen + 1);
      if (seen > 20 && (round + Number(id)) % 50 !== 0) continue;
      const command = commandLine(id);
      if (command === "") continue;
      commands.add(command);
      const names = canariesIn(read(id, "environ"), canaries);
      // Between two reads a fork becomes its program: then the environment is not that command's.
      if (commandLine(id) !== command) continue;
      for (const name of names) environments.add(`${command}: ${name}`);
    }
    for (const id of looks.keys()) if (!ids.includes(id)) looks.delete(id);
    await sleep(3);
  }
  process.stdout.write(JSON.stringify({ commands: [...commands], environments: [...environments] }));
}

/** The arguments parted by spaces. */
function commandLine(id: string): string {
  return read(id, "cmdline").toString("utf8").split("\0").join(" ").trim();
}

/** Nothing of a process that is gone or another user's. */
function read(id: string, file: string): Buffer {
  try {
    return readFileSync(`/proc/${id}/${file}`);
  } catch {
    return Buffer.alloc(0);
  }
}

if (process.argv[2] === "sample") await sample();
