import type { Json, JsonObject } from "../../base/json.ts";
import type { Progress } from "./restic.ts";

/** restic's JSON lines: every one an object with `message_type` (or `struct_type` in `ls` before 0.17). */
export function parseMessage(line: string): JsonObject | undefined {
  if (!line.startsWith("{")) return undefined;
  return asObject(parseJson(line));
}

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !isArray(value) ? value : undefined;
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function numberIn(message: JsonObject, field: string): number {
  const value = message[field];
  return typeof value === "number" ? value : 0;
}

export function textIn(message: JsonObject, field: string): string {
  const value = message[field];
  return typeof value === "string" ? value : "";
}

export function textsIn(message: JsonObject, field: string): readonly string[] {
  const value = message[field];
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The status message of `backup` and of `restore`, whose fields differ in name. */
export function progressOf(message: JsonObject): Progress {
  return {
    secondsElapsed: numberIn(message, "seconds_elapsed"),
    percentDone: Math.round(numberIn(message, "percent_done") * 1000) / 10,
    totalFiles: numberIn(message, "total_files"),
    filesDone: numberIn(message, "files_done") || numberIn(message, "files_restored"),
    totalBytes: numberIn(message, "total_bytes"),
    bytesDone: numberIn(message, "bytes_done") || numberIn(message, "bytes_restored"),
  };
}

/**
 * One line of restic's stderr in words: plain text as it is, JSON errors as their message and item. 0.14 gives
 * the error as the Go value that it was (`{"Op": "lstat", "Path": …, "Err": 2}`), newer ones as `message`.
 */
export function wordsOf(line: string): string {
  const message = parseMessage(line);
  // Terminal control sequences are not words.
  if (message === undefined) return line.replace(/\u001b?\[2K/g, "").trim();
  if (message["message_type"] === "exit_error")
    return withoutFrames(textIn(message, "message").split("\n")).join("; ");
  if (message["message_type"] !== "error") return "";
  const error = asObject(message["error"]) ?? {};
  const item = textIn(message, "item");
  const said =
    textIn(error, "message") ||
    [textIn(error, "Op"), textIn(error, "Path"), errnoWords(error["Err"])].filter((word) => word).join(" ") ||
    "could not be read";
  return item === "" ? said : `${item}: ${said}`;
}

/** Lines without the frames of Go's stack that some errors bring along, each a function and its place below it. */
export function withoutFrames(lines: readonly string[]): readonly string[] {
  const isPlace = (line: string | undefined) => line !== undefined && /^\s+\S+\.(?:go|s):\d+$/.test(line);
  return lines
    .filter((line, at) => !isPlace(line) && !isPlace(lines[at + 1]))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The few that reading a tree meets; numbers as on Linux. */
const errnoNames: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file or directory",
  5: "input/output error",
  13: "permission denied",
};

function errnoWords(value: Json | undefined): string {
  if (typeof value !== "number") return "";
  return `(${errnoNames[value] ?? `errno ${value}`})`;
}
