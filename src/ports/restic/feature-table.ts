import { HoldfastError } from "../../base/errors.ts";

export type ResticVersion = { readonly major: number; readonly minor: number; readonly patch: number };

/**
 * What Holdfast uses of restic and the first version that has it (restic's CHANGELOG, tried with 0.14.0 and
 * 0.19.1). `backup`, `snapshots`, `ls` and `stats` print JSON in every version since the floor.
 */
const firstVersion = {
  /** Oldest that is accepted: what Debian 12 ships. */
  floor: "0.14.0",
  /** `restore --sparse` */
  restoreSparse: "0.15.0",
  /** `restore <id>:<folder>` */
  restoreSubfolder: "0.16.0",
  /** `restore --json` */
  restoreJson: "0.16.0",
  /** Exit codes 10 (no repository) and 11 (locked). */
  repositoryExitCodes: "0.17.0",
  /** Exit code 12 (wrong password). */
  passwordExitCode: "0.17.1",
} as const;

export type Feature = keyof typeof firstVersion;

/** Reads the first line of `restic version`; undefined when it is not restic's. */
export function parseVersion(line: string): ResticVersion | undefined {
  return parseDotted(/^restic (\d+\.\d+\.\d+)/.exec(line)?.[1] ?? "");
}

export function formatVersion(version: ResticVersion): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}

export function supports(version: ResticVersion, feature: Feature): boolean {
  const first = parseDotted(firstVersion[feature]);
  if (first === undefined) return false;
  if (version.major !== first.major) return version.major > first.major;
  if (version.minor !== first.minor) return version.minor > first.minor;
  return version.patch >= first.patch;
}

/** Throws `ResticTooOld` for a version below the floor. */
export function refuseTooOld(version: ResticVersion): void {
  if (supports(version, "floor")) return;
  throw new HoldfastError(
    "ResticTooOld",
    `restic ${formatVersion(version)} is too old; Holdfast works with ${firstVersion.floor} and newer`,
    { disposition: "stall", next: `Install restic ${firstVersion.floor} or newer (https://restic.net).` },
  );
}

function parseDotted(text: string): ResticVersion | undefined {
  const [major, minor, patch] = text.split(".").map(Number);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { major, minor, patch };
}
