import { HoldfastError } from "../../base/errors.ts";

/**
 * restic's include and exclude patterns (docs: 040_backup.rst, "Excluding files"): parts are matched as Go's
 * filepath.Match does, `**` stands for any number of folders, a pattern without a leading `/` matches at any
 * depth, a match covers everything below it, and `!` in front takes an earlier match back.
 */
export type Pattern = { readonly negated: boolean; readonly parts: readonly string[] };

/** Throws `InvalidPattern` for an empty one or one that Go could not match with. */
export function parsePattern(text: string): Pattern {
  const negated = text.startsWith("!");
  const body = negated ? text.slice(1) : text;
  const named = body.split("/").filter((part) => part !== "" && part !== ".");
  if (named.length === 0) throw invalid(text);
  for (const part of named) {
    if (part === ".." || part.includes("\0")) throw invalid(text);
    if (part !== "**") toRegExp(part, text);
  }
  const parts = body.startsWith("/") || named[0] === "**" ? named : ["**", ...named];
  return { negated, parts: parts.filter((part, index) => part !== "**" || parts[index - 1] !== "**") };
}

export function formatPattern(pattern: Pattern): string {
  return `${pattern.negated ? "!" : ""}/${pattern.parts.join("/")}`;
}

/** The same pattern below another root: `*.tmp` becomes `/srv/root/**` + `/*.tmp`. */
export function anchorPattern(pattern: Pattern, root: string): Pattern {
  return { ...pattern, parts: [...foldersOf(root).map(escapePart), ...pattern.parts] };
}

/**
 * What a pattern means inside the folder `path`: none when nothing below it can match, and `/*` when all of
 * it does. `/data/sub/*.txt` below `/data` is `/sub/*.txt`.
 */
export function patternsBelow(pattern: Pattern, path: string): readonly Pattern[] {
  const rests = restsOf(pattern.parts, foldersOf(path));
  if (rests.some((rest) => rest.length === 0)) return [{ negated: pattern.negated, parts: ["*"] }];
  const unique = new Map(rests.map((rest) => [rest.join("/"), rest]));
  return [...unique.values()].map((parts) => ({ negated: pattern.negated, parts }));
}

/** Answers whether the patterns, read in order, cover a path (absolute in the snapshot). */
export function coverageOf(patterns: readonly Pattern[]): (path: string) => boolean {
  const compiled = patterns.map(({ negated, parts }) => ({ negated, parts: parts.map(compilePart) }));
  return (path) => {
    const folders = foldersOf(path);
    let covered = false;
    for (const { negated, parts } of compiled) {
      // Only a pattern that would change the answer is worth matching.
      if (covered === negated && reaches(parts, folders)) covered = !negated;
    }
    return covered;
  };
}

/** A name or path in which nothing is special. */
export function escapePart(part: string): string {
  return part.replace(/[\\*?[\]]/g, "\\$&");
}

export function foldersOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

function restsOf(parts: readonly string[], folders: readonly string[]): readonly (readonly string[])[] {
  const [part, ...rest] = parts;
  const [folder, ...below] = folders;
  if (part === undefined || folder === undefined) return [parts];
  if (part === "**") return [...restsOf(rest, folders), ...restsOf(parts, below)];
  return toRegExp(part, part).test(folder) ? restsOf(rest, below) : [];
}

type CompiledPart = RegExp | "**";

function compilePart(part: string): CompiledPart {
  return part === "**" ? part : toRegExp(part, part);
}

function reaches(parts: readonly CompiledPart[], folders: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return true;
  const [folder, ...below] = folders;
  if (folder === undefined) return part === "**" && rest.length === 0;
  if (part === "**") return reaches(rest, folders) || reaches(parts, below);
  return part.test(folder) && reaches(rest, below);
}

/** Go's filepath.Match for one name: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before what is meant literally. */
function toRegExp(part: string, whole: string): RegExp {
  const tokens = part.match(/\\.|\[\^?(?:\\.|[^\]\\])+\]|[\s\S]/gu) ?? [];
  const source = tokens.map((token) => {
    if (token === "*") return ".*";
    if (token === "?") return ".";
    if (token === "[" || token === "\\") throw invalid(whole);
    if (token.length > 1 && token.startsWith("[")) return classSource(token);
    return escapeLiteral(token.length > 1 && token.startsWith("\\") ? token.slice(1) : token);
  });
  try {
    return new RegExp(`^${source.join("")}$`, "su");
  } catch {
    throw invalid(whole);
  }
}

function classSource(token: string): string {
  const negated = token.startsWith("[^");
  const members = token.slice(negated ? 2 : 1, -1).match(/\\.|[\s\S]/gu) ?? [];
  const source = members.map((member) => {
    if (member === "-") return member;
    const char = member.startsWith("\\") ? member.slice(1) : member;
    return char === "-" ? "\\-" : escapeLiteral(char);
  });
  return `[${negated ? "^" : ""}${source.join("")}]`;
}

function escapeLiteral(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function invalid(pattern: string): HoldfastError {
  return new HoldfastError("InvalidPattern", `${JSON.stringify(pattern)} is no include or exclude pattern`, {
    disposition: "stall",
    next: "Write it as restic's documentation says, for example `*.tmp` or `/data/cache`.",
  });
}
