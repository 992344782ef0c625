import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { load } from "js-yaml";
import { HoldfastError, messageOf } from "../../base/errors.ts";
import { isFields } from "../../base/json.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

type Fields = Readonly<Record<string, unknown>>;

/** One entry of `clusters`, `users` or `contexts`; `dir` is where its relative paths start. */
type Entry = { readonly fields: Fields; readonly dir: string };

type Source = { readonly documents: readonly Entry[]; readonly source: string };

/** The cluster and the user of one context, as written. */
export type KubeContext = {
  readonly cluster: Entry;
  readonly user: Entry;
  /** Default namespace of the context. */
  readonly namespace: string | undefined;
  /** Names the source in messages. */
  readonly source: string;
};

const maxBytes = 1024 * 1024;

/** The files that kubectl would read, in its order; empty when there are none. */
export async function kubeconfigPaths(env: Environment): Promise<readonly string[]> {
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) return listed;
  const usual = join(env["HOME"] ?? homedir(), ".kube", "config");
  const exists = await readFile(usual).then(
    () => true,
    () => false,
  );
  return exists ? [usual] : [];
}

/**
 * Merges files as kubectl does: the first file that names a thing wins, and files of a list that are
 * missing are passed over unless all are.
 */
export async function readKubeconfigFiles(paths: readonly string[], context?: string): Promise<KubeContext> {
  const documents: Entry[] = [];
  for (const path of paths) {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (isFields(error) && error["code"] === "ENOENT") return undefined;
      throw invalid(`kubeconfig ${path} cannot be read: ${messageOf(error)}`);
    });
    if (text !== undefined) documents.push({ fields: parse(text, path), dir: dirname(path) });
  }
  if (documents.length === 0) {
    throw invalid(`kubeconfig ${paths.join(", ")} does not exist`, "Name an existing file.");
  }
  return selectContext({ documents, source: `kubeconfig ${paths.join(", ")}` }, context);
}

export function readKubeconfigText(text: string, context?: string): KubeContext {
  const documents = [{ fields: parse(text, "given as text"), dir: "." }];
  return selectContext({ documents, source: "the given kubeconfig" }, context);
}

function selectContext(from: Source, wanted?: string): KubeContext {
  const { documents, source } = from;
  const current = documents.map(({ fields }) => stringOf(fields["current-context"])).find((name) => name);
  const name = wanted ?? current;
  if (name === undefined) {
    throw invalid(`${source} has no current-context`, "Run `kubectl config use-context`, or give a context.");
  }
  const context = find(from, "contexts", "context", name).fields;
  const part = (list: string, field: string) => {
    const target = stringOf(context[field]);
    if (target === undefined) throw invalid(`${source}: context ${name} names no ${field}`);
    return find(from, list, field, target);
  };
  return {
    cluster: part("clusters", "cluster"),
    // A context without a user is an anonymous one.
    user: stringOf(context["user"]) === undefined ? { fields: {}, dir: "." } : part("users", "user"),
    namespace: stringOf(context["namespace"]),
    source,
  };
}

function find({ documents, source }: Source, list: string, field: string, name: string): Entry {
  for (const { fields, dir } of documents) {
    const entries = Array.isArray(fields[list]) ? (fields[list] as readonly unknown[]) : [];
    const entry = entries.filter(isFields).find((candidate) => candidate["name"] === name);
    if (entry !== undefined) return { fields: isFields(entry[field]) ? entry[field] : {}, dir };
  }
  const known = documents
    .flatMap(({ fields }) => (Array.isArray(fields[list]) ? (fields[list] as readonly unknown[]) : []))
    .map((entry) => (isFields(entry) ? String(entry["name"]) : ""));
  throw invalid(`${source} has no ${field} ${name}`, `Use one of: ${known.join(", ") || "(none)"}.`);
}

function parse(text: string, place: string): Fields {
  if (text.length > maxBytes) throw invalid(`kubeconfig ${place} is larger than 1 MiB`);
  let value: unknown;
  try {
    value = text.trimStart().startsWith("{") ? JSON.parse(text) : load(text);
  } catch {
    // The parser's message quotes the text, and the text holds credentials.
    throw invalid(`kubeconfig ${place} is not valid YAML`, "Check it with `kubectl config view`.");
  }
  if (!isFields(value)) throw invalid(`kubeconfig ${place} is not a mapping`);
  return value;
}

/** A text field of an entry. */
export function textField(entry: Entry, name: string): string | undefined {
  return stringOf(entry.fields[name]);
}

/** A field that names a file, made absolute as kubectl does. */
export function pathField(entry: Entry, name: string): string | undefined {
  const path = stringOf(entry.fields[name]);
  return path === undefined || isAbsolute(path) ? path : join(entry.dir, path);
}

/** PEM from `<name>-data` in base64, else from the file `<name>`. */
export async function pemField(entry: Entry, name: string): Promise<string | undefined> {
  const data = stringOf(entry.fields[`${name}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const path = pathField(entry, name);
  if (path === undefined) return undefined;
  return await readFile(path, "utf8").catch((error: unknown) => {
    throw invalid(`${name} of the kubeconfig cannot be read: ${messageOf(error)}`);
  });
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function invalid(message: string, next = "Correct the kubeconfig."): HoldfastError {
  return new HoldfastError("KubeconfigInvalid", message, { disposition: "stall", next });
}
