import type { Problem } from "../../base/problem.ts";
import type { GitFile } from "../../ports/git/remote.ts";
import { limits } from "./limits.ts";
import { type Settings, settingsPath } from "./settings.ts";

export type ChosenFiles = { readonly files: readonly GitFile[]; readonly problems: readonly Problem[] };

/** The files below the cluster's folder that are read as declarations, and those that are refused by name. */
export function chooseFiles(listed: readonly GitFile[], settings: Settings): ChosenFiles {
  const problems: Problem[] = [];
  const files: GitFile[] = [];
  for (const file of listed) {
    if (file.path === settingsPath || isRecord(file.path, settings)) continue;
    const isYaml = /\.(?:ya?ml|json)$/i.test(file.path);
    const refusal = refusalOf(file, isYaml);
    if (refusal !== undefined) problems.push(refusal);
    else if (isYaml) files.push(file);
  }
  if (files.length > limits.files) {
    const message = `${files.length} YAML files stand below ${settings.path || "the root"}; only ${limits.files} are read`;
    problems.push(unreadable(files[limits.files]?.path ?? settings.path, message, "Split the folder."));
  }
  return { files: files.slice(0, limits.files), problems };
}

export function unreadable(path: string, message: string, next: string): Problem {
  return { severity: "error", reason: "Unreadable", message, place: { path, line: 1 }, next };
}

function isRecord(path: string, { record }: Settings): boolean {
  return record.kind === "folder" && path.startsWith(`${record.folder}/`);
}

function refusalOf(file: GitFile, isYaml: boolean): Problem | undefined {
  if (file.type === "symlink" || file.type === "submodule") {
    return unreadable(file.path, `a ${file.type} is never followed`, "Put the file itself into the folder.");
  }
  if (file.type === "refused") {
    return unreadable(
      file.path,
      "Git itself refuses an entry of this name or mode",
      "Rename it, or run `git fsck`.",
    );
  }
  if (!isYaml || !/[\p{Cc}\p{Cf}\uFFFD]/u.test(file.path)) return undefined;
  const message = "a file whose name holds characters that cannot be shown is not read";
  return unreadable(file.path, message, "Rename it.");
}
