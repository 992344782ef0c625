import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fetch } from "undici";

const release = "0.18.1";
/** SHA-256 of restic's own release archives for Linux. */
const archives: Readonly<Record<string, { readonly name: string; readonly sha256: string }>> = {
  x64: {
    name: `restic_${release}_linux_amd64.bz2`,
    sha256: "680838f19d67151adba227e1570cdd8af12c19cf1735783ed1ba928bc41f363d",
  },
  arm64: {
    name: `restic_${release}_linux_arm64.bz2`,
    sha256: "87f53fddde38764095e9c058a3b31834052c37e5826d2acf34e18923c006bd45",
  },
};
const connectMs = 3000;

type Say = (line: string) => void;

/**
 * Makes sure that `restic` can be found: on PATH, in the cache, from restic's release by its pinned digest, or,
 * as root, from the system's package manager. Only the demo and the tests do this; holdfast itself installs nothing.
 */
export async function ensureRestic(say: Say): Promise<void> {
  if (resticVersion("restic") !== undefined) return;
  const directory = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "holdfast", "bin");
  if (existsSync(join(directory, "restic")) || (await fetchRelease(directory, say))) {
    process.env["PATH"] = `${directory}${delimiter}${process.env["PATH"] ?? ""}`;
    if (resticVersion("restic") !== undefined) return;
  }
  installPackage(say);
  if (resticVersion("restic") === undefined)
    throw new Error(
      "restic was not found and could not be installed. Install restic 0.14 or newer (for example: apt-get install restic) and run this again.",
    );
}

function resticVersion(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ["version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

async function fetchRelease(directory: string, say: Say): Promise<boolean> {
  const archive = process.platform === "linux" ? archives[process.arch] : undefined;
  if (archive === undefined || spawnSync("bunzip2", ["--help"]).error !== undefined) return false;
  const url = `https://github.com/restic/restic/releases/download/v${release}/${archive.name}`;
  say(`restic is not installed; fetching ${url}`);
  try {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), connectMs);
    const response = await fetch(url, { signal: waiting.signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const content = Buffer.from(await response.arrayBuffer());
    const digest = createHash("sha256").update(content).digest("hex");
    if (digest !== archive.sha256) throw new Error(`its SHA-256 is ${digest}, not ${archive.sha256}`);
    mkdirSync(directory, { recursive: true });
    const binary = execFileSync("bunzip2", ["--stdout"], { input: content, maxBuffer: 256 * 2 ** 20 });
    const next = join(directory, `restic.${process.pid}`);
    writeFileSync(next, binary);
    chmodSync(next, 0o755);
    renameSync(next, join(directory, "restic"));
    return true;
  } catch (error) {
    say(`  that failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function installPackage(say: Say): void {
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return;
  say("  installing the system's package instead: apt-get install restic");
  const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
  const install = () =>
    spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", "restic"], options).status;
  if (install() === 0) return;
  spawnSync("apt-get", ["update"], options);
  install();
}
