import { normalize } from "node:path/posix";
import { usageError } from "./job-flags.ts";

/** A path of the pod in its shortest form; refuses relative paths, `..`, NUL and `/` itself. */
export function podPath(text: string, what: string): string {
  const bad = !text.startsWith("/") || text.includes("\0") || text.split("/").includes("..");
  const path = normalize(text).replace(/(.)\/+$/, "$1");
  if (!bad && path !== "/") return path;
  throw usageError(
    `${what} is not an absolute path of a folder: ${JSON.stringify(text)}`,
    "Write it as /data.",
  );
}

/** Where a path of the pod is on this machine. */
export function onThisMachine(root: string, path: string): string {
  return `${root.replace(/\/+$/, "")}${path}`;
}
