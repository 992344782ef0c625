import { HoldfastError } from "../../base/errors.ts";

/**
 * A folder as keys have it: without slashes at its ends, `/` between its parts. `what` names the field in
 * the error `PathInvalid`, which refuses empty parts, `.`, `..`, backslashes and control characters.
 */
export function folderOf(text: string, what: string): string {
  const folder = text.replace(/^\/+|\/+$/g, "");
  if (folder === "") return "";
  const bad = folder.split("/").some((part) => part === "" || part === "." || part === "..");
  if (!bad && !/[\\\u0000-\u001f\u007f]/.test(folder)) return folder;
  throw new HoldfastError("PathInvalid", `${what} is not a usable path: ${JSON.stringify(text)}`, {
    disposition: "stall",
    next: "Use names separated by single slashes, without . and .. among them.",
  });
}
