import { readLabelQuery } from "./label-query.ts";
import { itemsOf, means, misread, type Read, readTruth, shown } from "./param-text.ts";

/** A parameter of the tasks of kubedump-addon: what a Job and the rules of a declaration read from its text. */
export type ManifestParam<Value> = {
  readonly name: string;
  /** Of the Job, without dashes. */
  readonly flag: string;
  readonly usage: string;
  readonly default: string;
  readonly read: (text: string) => Read<Value>;
};

const labels = "k:v, k=v, k, k!=v, !k, k in (a,b) or k notin (a,b), comma separated";
const resources = "as resource or resource.group, comma separated";

export const filterParams = {
  allOf: param("ANDedLabelSelectors", {
    flag: "and-label-selectors",
    usage: `Labels that an object must all match: ${labels}. As in Kubernetes, k!=v, !k and notin match an object without the label.`,
    read: readLabelQuery,
  }),
  anyOf: param("ORedLabelSelectors", {
    flag: "or-label-selectors",
    usage: `Labels of which an object must match at least one: ${labels}.`,
    read: readLabelQuery,
  }),
  clusterResources: param("IncludeClusterResources", {
    flag: "include-cluster-resources",
    usage: "Whether objects that have no namespace are taken.",
    default: "false",
    read: readTruth,
  }),
  includeNamespaces: param("IncludeNamespaces", {
    flag: "include-namespaces",
    usage: "Namespaces to take, comma separated; all when empty or *.",
    read: (text) => included(text, readNamespaces),
  }),
  excludeNamespaces: param("ExcludeNamespaces", {
    flag: "exclude-namespaces",
    usage: "Namespaces to leave out, comma separated; * is ignored.",
    read: (text) => excluded(text, readNamespaces),
  }),
  includeResources: param("IncludeResources", {
    flag: "include-resources",
    usage: `Resources to take, ${resources}; all when empty or *.`,
    read: (text) => included(text, readResources),
  }),
  excludeResources: param("ExcludeResources", {
    flag: "exclude-resources",
    usage: `Resources to leave out, ${resources}; * is ignored.`,
    read: (text) => excluded(text, readResources),
  }),
} as const;

export const restoreParams = {
  override: param("OverrideResources", {
    flag: "override-resources",
    usage: "Whether objects that exist are overwritten.",
    default: "false",
    read: readTruth,
  }),
  restorePVs: param("RestorePVs", {
    flag: "restore-pvs",
    usage: "Whether PersistentVolumes are restored.",
    default: "false",
    read: readTruth,
  }),
  storageClasses: param("StorageClassMappings", {
    flag: "storage-class-mappings",
    usage: "Storage classes to replace: old=new, comma separated.",
    read: readStorageClasses,
  }),
} as const;

function param<Value>(
  name: string,
  given: Omit<ManifestParam<Value>, "name" | "default"> & { readonly default?: string },
): ManifestParam<Value> {
  return { default: "", ...given, name };
}

type Names = ReadonlySet<string>;

/** Undefined for everything: an empty list, or one that holds `*`. */
function included(text: string, read: (items: readonly string[]) => Read<Names>): Read<Names | undefined> {
  const items = itemsOf(text);
  const names = read(items.filter((item) => item !== "*"));
  return names.ok && (items.length === 0 || items.includes("*")) ? means(undefined) : names;
}

/** `*` is no name: excluding everything is surely not meant. */
function excluded(text: string, read: (items: readonly string[]) => Read<Names>): Read<Names> {
  return read(itemsOf(text).filter((item) => item !== "*"));
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function readNamespaces(items: readonly string[]): Read<Names> {
  const wrong = items.find((item) => !dnsLabel.test(item));
  if (wrong === undefined) return means(new Set(items));
  return misread(
    `${shown(wrong)} is no name of a namespace`,
    "Write whole names, separated by commas; patterns are not read.",
  );
}

/** Types are named without regard to case. */
function readResources(items: readonly string[]): Read<Names> {
  const wrong = items.find((item) => !isDnsName(item.toLowerCase()));
  if (wrong === undefined) return means(new Set(items.map((item) => item.toLowerCase())));
  return misread(
    `${shown(wrong)} is no name of a resource`,
    "Write configmaps or deployments.apps, separated by commas; patterns and versions are not read.",
  );
}

/** Old name to new one. */
function readStorageClasses(text: string): Read<ReadonlyMap<string, string>> {
  const next = "Write old=new, separated by commas.";
  const classes = new Map<string, string>();
  for (const item of itemsOf(text)) {
    const [from = "", to = "", ...more] = item.split("=").map((part) => part.trim());
    if (from === "" || to === "" || more.length > 0)
      return misread(`${shown(item)} is not of the form old=new`, next);
    const wrong = [from, to].find((name) => !isDnsName(name));
    if (wrong !== undefined) return misread(`${shown(wrong)} is no name of a storage class`, next);
    if (classes.has(from)) return misread(`${shown(from)} is mapped twice`, "Map each class once.");
    classes.set(from, to);
  }
  return means(classes);
}

function isDnsName(text: string): boolean {
  return text.length <= 253 && dnsName.test(text);
}
