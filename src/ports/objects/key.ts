import { HoldfastError } from "../../base/errors.ts";

/** S3's own limit. */
const maxKeyBytes = 1024;

/** Throws `InvalidKey` unless the key is relative, without `..`, empty parts or control characters. */
export function checkKey(key: string): string {
  if (key !== "" && partsAreSafe(key.split("/")) && Buffer.byteLength(key) <= maxKeyBytes) return key;
  throw invalid(key);
}

/** As `checkKey`; may be empty and may end with `/`. */
export function checkPrefix(prefix: string): string {
  if (prefix === "") return prefix;
  checkKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** A folder as a prefix: `a` and `a/` are `a/`; the empty one stays empty. */
export function folderPrefix(prefix: string): string {
  checkPrefix(prefix);
  return prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
}

export function tooLarge(key: string, where: string, maxBytes: number): HoldfastError {
  return new HoldfastError("ObjectTooLarge", `${key} in ${where} is larger than ${maxBytes} bytes`, {
    disposition: "stall",
    next: "Look at the object; it is not one that Holdfast or KubeStash wrote.",
  });
}

function partsAreSafe(parts: readonly string[]): boolean {
  return parts.every(
    (part) => part !== "" && part !== "." && part !== ".." && !/[\u0000-\u001f\u007f\\]/.test(part),
  );
}

function invalid(key: string): HoldfastError {
  return new HoldfastError("InvalidKey", `${JSON.stringify(key)} is no key of an object`, {
    disposition: "stall",
    next: "Use a relative path of plain names, without `..`.",
  });
}
