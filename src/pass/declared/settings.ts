import type { Static } from "typebox";
import { Check, Errors } from "typebox/schema";
import { parseGoDuration } from "../../api/duration.ts";
import { nearestName } from "../../base/nearest-name.ts";
import type { Problem } from "../../base/problem.ts";
import { readYaml } from "../../base/yaml/read-yaml.ts";
import { type FieldPath, jsonOf, lineOf, type YamlNode } from "../../base/yaml/yaml-node.ts";
import { clusterName } from "./cluster-name.ts";
import { limits } from "./limits.ts";
import { settingsSchema } from "./settings-schema.ts";

export const settingsPath = "holdfast.yaml";

/** What `holdfast.yaml` and the command line say together, for one cluster. */
export type Settings = {
  readonly cluster: string;
  /** From the remote's root, without slashes at its ends; "" for the root itself. */
  readonly path: string;
  readonly record: RecordPlace;
  readonly pollMs: number;
};

export type RecordPlace =
  | { readonly kind: "branch"; readonly branch: string }
  | { readonly kind: "folder"; readonly folder: string }
  /** The commit's settings could not be read; `holdfast.yaml` never says this. */
  | { readonly kind: "unknown" };

/** What the command line or the environment decide, which goes before the file. */
export type SettingsRequest = { readonly cluster: string; readonly path?: string };

export type SettingsReading = { readonly settings: Settings } | { readonly problems: readonly Problem[] };

const example = "clusters:\n  production:\n    path: clusters/production\n";

/**
 * Settings from the content of `holdfast.yaml`, or everything that is wrong with them. There is no going on
 * with half of them: a record that goes to another place than the one meant would forget which restores have run.
 */
export function settingsFrom(file: Uint8Array | undefined, request: SettingsRequest): SettingsReading {
  if (!new RegExp(clusterName).test(request.cluster)) {
    return failure(undefined, "the cluster's name must be a DNS label", `Choose a name like "production".`);
  }
  if (file === undefined) {
    if (request.path !== undefined) return settled({ clusters: {} }, request);
    return failure(
      undefined,
      `there is no ${settingsPath} at the repository's root`,
      `Commit a ${settingsPath} such as:\n${example}`,
    );
  }
  const { documents, refusals } = readYaml(file, limits);
  const [refusal] = refusals;
  if (refusal !== undefined) return failure(refusal.line, refusal.message, `Correct ${settingsPath}.`);
  const [root, second] = documents;
  if (second !== undefined)
    return failure(second.line, "a second document", "Keep one document in this file.");
  if (root === undefined || root.kind !== "map") {
    return failure(1, "the file declares nothing", `Write something such as:\n${example}`);
  }
  const value = jsonOf(root);
  if (Check(settingsSchema, value)) return settled(value, request, root);
  return { problems: schemaProblems(root, value) };
}

function settled(
  file: Static<typeof settingsSchema>,
  request: SettingsRequest,
  root?: YamlNode,
): SettingsReading {
  const lineOfField = (field: FieldPath) => (root === undefined ? undefined : lineOf(root, field));
  const declared = Object.entries(file.clusters).find(([name]) => name === request.cluster)?.[1].path;
  const path = request.path ?? declared;
  if (path === undefined)
    return unknownCluster(request.cluster, Object.keys(file.clusters), lineOfField(["clusters"]));
  const folders = [path, ...(file.record?.folder === undefined ? [] : [file.record.folder])];
  if (folders.some((name) => name.split("/").includes("..") || name.startsWith("/"))) {
    return failure(
      lineOfField(["clusters", request.cluster, "path"]),
      "a folder leaves the repository",
      "Write folders from the repository's root, without `..`.",
    );
  }
  if (file.record?.branch !== undefined && file.record.folder !== undefined) {
    return failure(lineOfField(["record"]), "record has both branch and folder", "Keep one of the two.");
  }
  const pollMs = file.poll === undefined ? 60_000 : parseGoDuration(file.poll);
  if (pollMs === undefined || pollMs < 1000) {
    return failure(
      lineOfField(["poll"]),
      "poll is not a duration of at least 1s",
      "Write it like 30s, 1m or 1h30m.",
    );
  }
  return {
    settings: {
      cluster: request.cluster,
      path: trimmed(path),
      record: recordPlace(file.record ?? {}),
      pollMs,
    },
  };
}

function recordPlace(record: { readonly branch?: string; readonly folder?: string }): RecordPlace {
  if (record.folder !== undefined) return { kind: "folder", folder: trimmed(record.folder) };
  return { kind: "branch", branch: record.branch ?? "holdfast-record" };
}

function trimmed(folder: string): string {
  return folder
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function unknownCluster(name: string, known: readonly string[], line: number | undefined): SettingsReading {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  const next = known.length === 0 ? `Add it, such as:\n${example}` : `Known clusters: ${known.join(", ")}.`;
  return failure(line, `the cluster ${name} is not declared${hint}`, next);
}

/** One problem per field that is wrong: the library reports an unknown field twice, and what surrounds it too. */
function schemaProblems(root: YamlNode, value: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  for (const error of Errors(settingsSchema, value)[1]) {
    const field = pointerParts(error.instancePath);
    if (error.keyword === "boolean") continue;
    if (error.keyword === "additionalProperties") {
      for (const name of error.params.additionalProperties) problems.push(unknownField(root, field, name));
      continue;
    }
    const where = field.length === 0 ? "the file" : field.join(".");
    problems.push(
      problem(lineOf(root, field), `${where} ${error.message}`, `Correct it in ${settingsPath}.`),
    );
  }
  return problems;
}

const knownFields: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(settingsSchema.properties),
  record: Object.keys(settingsSchema.properties.record.properties),
};

function unknownField(root: YamlNode, parent: readonly string[], name: string): Problem {
  const line = lineOf(root, [...parent, name]);
  const field = [...parent, name].join(".");
  if (parent.length === 1 && parent[0] === "clusters") {
    return problem(
      line,
      `the cluster name ${name} is not a DNS label`,
      "Use small letters, digits and dashes.",
    );
  }
  if (parent[0] === "policy") {
    return problem(
      line,
      `${field} is not supported in this version`,
      "Take it out; policy holds no field yet.",
    );
  }
  const known = parent[0] === "clusters" ? ["path"] : (knownFields[parent.join(".")] ?? []);
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return problem(line, `unknown field ${field}${hint}`, `Known fields here: ${known.join(", ")}.`);
}

function pointerParts(pointer: string): string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function failure(line: number | undefined, message: string, next: string): SettingsReading {
  return { problems: [problem(line, message, next)] };
}

function problem(line: number | undefined, message: string, next: string): Problem {
  const place = line === undefined ? {} : { place: { path: settingsPath, line } };
  return { severity: "error", reason: "SettingsInvalid", message, ...place, next };
}
