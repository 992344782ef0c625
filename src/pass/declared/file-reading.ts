import type { Problem } from "../../base/problem.ts";
import { readYaml, type YamlReading } from "../../base/yaml/read-yaml.ts";
import { type MapNode, textField, type YamlNode } from "../../base/yaml/yaml-node.ts";
import { limits } from "./limits.ts";
import { adviceFor, notPlain } from "./not-plain.ts";
import { type ObjectReading, readObject } from "./object-reading.ts";
import { claimOf } from "./own-kinds.ts";
import { encryptedProblem, secretProblem } from "./secrets.ts";

/** What one file says. */
export type FileReading = {
  readonly objects: readonly ObjectReading[];
  readonly problems: readonly Problem[];
  /** The kind of each document that was left alone. */
  readonly others: readonly string[];
  /** Whether every document of it could be read, ours or not. */
  readonly complete: boolean;
  /** Its content could not be had, which may be another time. */
  readonly again?: true;
};

type Draft = {
  readonly path: string;
  objects: ObjectReading[];
  problems: Problem[];
  others: string[];
  complete: boolean;
};

/** Reads the documents of one file; what is wrong with one does not touch the others. */
export function readFile(path: string, bytes: Uint8Array): FileReading {
  const other = notPlain(bytes);
  const { documents, refusals } = other === undefined ? readYaml(bytes, limits) : unread(other.message);
  const next = refusals.length === 0 ? "" : (other?.next ?? adviceFor(bytes));
  const problems = refusals.map(
    ({ message, line }): Problem => ({
      severity: "error",
      reason: "Unreadable",
      message,
      place: { path, line },
      next,
    }),
  );
  const draft: Draft = { path, objects: [], problems, others: [], complete: refusals.length === 0 };
  for (const node of documents.flatMap(flat)) readDocument(draft, node);
  return { ...draft, problems: bounded(draft.problems, path) };
}

/** Where a file holds a Secret with values, 1-based; `certain` is false when the file cannot be read. */
export type SecretFound = { readonly line: number; readonly certain: boolean };

/**
 * For who must know before a file is written to Git. One that cannot be read and speaks of a Secret counts too:
 * nobody can know what is in it.
 */
export function secretIn(path: string, bytes: Uint8Array): SecretFound | undefined {
  const { documents, refusals } = readYaml(bytes, limits);
  for (const node of documents.flatMap(flat)) {
    const found = node.kind === "map" ? secretProblem(node, path) : undefined;
    if (found !== undefined) return { line: node.line, certain: true };
  }
  const [refusal] = refusals;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const speaks = /\bSecret(?:List)?\b/.test(text.replaceAll("\0", ""));
  return refusal !== undefined && speaks ? { line: refusal.line, certain: false } : undefined;
}

function unread(message: string): YamlReading {
  return { documents: [], refusals: [{ line: 1, message }] };
}

function readDocument(draft: Draft, node: YamlNode): void {
  if (node.kind === "scalar" && node.value === null) return;
  if (node.kind !== "map") {
    draft.others.push(noKind);
    return;
  }
  const secret = secretProblem(node, draft.path);
  const encrypted = encryptedProblem(node, draft.path);
  if (secret !== undefined) draft.problems.push(secret);
  else if (encrypted !== undefined) {
    draft.problems.push(encrypted);
    draft.complete = false;
  } else readMap(draft, node);
}

const noKind = "(no kind)";

function readMap(draft: Draft, node: MapNode): void {
  const kind = textField(node, "kind");
  const claim = claimOf(textField(node, "apiVersion"), kind);
  if (claim.whose === "others") {
    draft.others.push(kind ?? noKind);
    return;
  }
  if (claim.whose === "nobody") {
    const place = { path: draft.path, line: node.line };
    draft.problems.push({
      severity: "error",
      reason: "UnknownKind",
      message: claim.message,
      place,
      next: claim.next,
    });
    draft.complete = false;
    return;
  }
  const object = readObject(node, draft.path, claim.resource);
  draft.objects.push({ ...object, problems: bounded(object.problems, draft.path) });
  if (object.document === undefined) draft.complete = false;
}

/** The items of `kind: List`, and of a typed list such as kubectl prints (`BackupStorageList`); else the document. */
function flat(node: YamlNode): readonly YamlNode[] {
  if (node.kind !== "map") return [node];
  const items = node.entries.get("items")?.value;
  const kind = textField(node, "kind");
  if (items?.kind !== "list" || !kind?.endsWith("List") || kind === "SecretList") return [node];
  return items.items.flatMap(flat);
}

function bounded(problems: readonly Problem[], path: string): readonly Problem[] {
  const kept = problems.slice(0, limits.problemsOfFile);
  const more = problems.length - kept.length;
  if (more === 0) return kept;
  const message = `there are ${more} more problems in this file`;
  return [...kept, { severity: "error", reason: "Invalid", message, place: { path, line: 1 } }];
}
