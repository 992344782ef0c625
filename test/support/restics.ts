import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { requireOrSkip } from "./real-parts.ts";

export type ResticAtHand = { readonly path: string; readonly version: string };

/**
 * Every restic that tests can run with, one per version: those named by `HOLDFAST_TEST_RESTICS` (paths,
 * separated as in PATH), otherwise every `restic` on PATH. Says loudly when there is none or only one.
 */
export function resticsAtHand(): readonly ResticAtHand[] {
  const named = process.env["HOLDFAST_TEST_RESTICS"];
  if (named === undefined && !requireOrSkip("restic")) return [];
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const paths =
    named?.split(delimiter) ?? folders.map((folder) => join(folder, "restic")).filter(isExecutable);
  const byVersion = new Map<string, ResticAtHand>();
  for (const path of paths) {
    const version = /^restic (\S+)/.exec(execFileSync(path, ["version"], { encoding: "utf8" }))?.[1];
    if (version !== undefined && !byVersion.has(version)) byVersion.set(version, { path, version });
  }
  if (byVersion.size === 1) {
    process.stderr.write(
      `\nONLY ONE restic IS TESTED (${[...byVersion.keys()].join()}); name others in HOLDFAST_TEST_RESTICS\n\n`,
    );
  }
  return [...byVersion.values()];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
