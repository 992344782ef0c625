import type { KubeObject } from "../../api/meta.ts";
import { clusterFolder, parseEntryPath } from "../../api/record-layout.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Revision } from "../../pass/declared/declared.ts";
import type { Remote } from "../../ports/git/remote.ts";
import type { Branch } from "./commit-change.ts";
import { usage } from "./usage.ts";

/**
 * A restore that is declared, under a name of its own: a name that ran never runs again. `which` is its name, or
 * `namespace/name`; without `name` it gets the next free one.
 */
export async function restoreAgain(
  branch: Branch,
  { which, name }: { readonly which: string; readonly name: string | undefined },
  signal: AbortSignal,
): Promise<KubeObject> {
  const restores = declaredRestores(branch);
  const found = oneOf(restores, which, branch);
  const { namespace = "" } = found.metadata;
  const base = baseOf(found);
  // A name that ran once is taken for ever, also when its file is gone: the record knows.
  const recorded = await recordedRestores(branch, signal);
  const waiting = restores.find(
    (one) => one.metadata.namespace === namespace && baseOf(one) === base && !recorded.has(fullName(one)),
  );
  if (waiting !== undefined && name === undefined)
    throw usage(
      `RestoreSession ${fullName(waiting)} is declared on ${refOf(branch)} and has not run yet`,
      `let it run first; for a second one beside it give it a name: holdfast restore NAME --again ${which}`,
    );
  const taken = new Set([...restores.map(fullName), ...recorded]);
  let number = 1;
  while (taken.has(`${namespace}/${base}-again-${number}`)) number += 1;
  const { apiVersion, kind } = found;
  const metadata = { name: name ?? `${base}-again-${number}`, namespace };
  return { apiVersion, kind, metadata, spec: found["spec"] };
}

/** A restore runs once under its name: one that is declared already, or was claimed ever, is no name for another. */
export async function refuseUsedName(
  branch: Branch,
  restore: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const name = fullName(restore);
  const next = "choose another name: a restore runs once under its name";
  const { documents, problems } = branch.declared;
  const isIt = (one: KubeObject) => one.kind === "RestoreSession" && fullName(one) === name;
  const place =
    documents.find(({ object }) => isIt(object)) ??
    problems.find(({ object }) => object === `RestoreSession ${name}`)?.place;
  if (place !== undefined)
    throw usage(
      `RestoreSession ${name} is declared on ${refOf(branch)} already, at ${place.path}:${place.line}`,
      next,
    );
  if ((await recordedRestores(branch, signal)).has(name))
    throw usage(`RestoreSession ${name} stands in the record, so its name was used before`, next);
}

function oneOf(restores: readonly KubeObject[], which: string, branch: Branch): KubeObject {
  const found = restores.filter((one) => one.metadata.name === which || fullName(one) === which);
  const [first, second] = found;
  if (first === undefined)
    throw usage(
      `no RestoreSession ${which} is declared on ${refOf(branch)}`,
      `declared are: ${restores.map(fullName).join(", ") || "none"}`,
    );
  if (second !== undefined)
    throw usage(
      `RestoreSession ${which} is declared in ${found.length} namespaces on ${refOf(branch)}`,
      `name one of them: --again ${found.map(fullName).join(" or --again ")}`,
    );
  return first;
}

function declaredRestores({ declared }: Branch): readonly KubeObject[] {
  return declared.documents.map((one) => one.object).filter((one) => one.kind === "RestoreSession");
}

/** `namespace/name` of the restores that were claimed. Throws `RecordNotFetched` (stall) in a clone without the record. */
async function recordedRestores(
  { remote, declared: { settings, revision } }: Branch,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { record, cluster } = settings;
  const prefix = record.kind === "folder" && record.folder !== "" ? `${record.folder}/` : "";
  const branch = record.kind === "branch" ? record.branch : (revision.branch ?? "");
  // A clone knows the record of what it is a clone of; a branch of its own may be older, and a claim stays for ever.
  const own = await remote.tip(branch, signal);
  const tips = [own, await remote.originTip(branch, signal)].filter((tip) => tip !== undefined);
  if (tips.length === 0) await refuseClone(remote, branch, { revision, signal });
  const folder = `${prefix}${clusterFolder(cluster)}/restores`;
  const files = await Promise.all(tips.map((tip) => remote.files(tip, folder, signal)));
  const entries = files.flat().flatMap((file) => parseEntryPath(file?.path.slice(prefix.length) ?? "") ?? []);
  return new Set(entries.map(({ namespace, name }) => `${namespace}/${name}`));
}

/** In a clone without it the record may well be at the origin, and what ran would be taken for new. */
async function refuseClone(
  { where, originTip }: Remote,
  record: string,
  { revision, signal }: { readonly revision: Revision; readonly signal: AbortSignal },
): Promise<void> {
  if (revision.branch === undefined || (await originTip(revision.branch, signal)) === undefined) return;
  const message = `${where} is a clone without the branch ${record}, so which restores have run is not known`;
  throw new HoldfastError("RecordNotFetched", message, {
    disposition: "stall",
    next: `run git fetch origin ${record}:refs/remotes/origin/${record} in it, or name the origin with --remote`,
  });
}

function refOf({ declared: { revision } }: Branch): string {
  return revision.branch ?? revision.commit;
}

function fullName({ metadata: { namespace = "", name } }: Pick<KubeObject, "metadata">): string {
  return `${namespace}/${name}`;
}

function baseOf({ metadata }: KubeObject): string {
  return metadata.name.replace(/-again-\d+$/, "");
}
