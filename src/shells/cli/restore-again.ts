import { timeText } from "../../api/conditions.ts";
import type { KubeObject } from "../../api/meta.ts";
import { clusterFolder, parseEntryPath } from "../../api/record-layout.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { Oid, Remote } from "../../ports/git/remote.ts";
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
  const { names: recorded, asOf } = await recordedRestores(branch, signal);
  const waiting = restores.find(
    (one) => one.metadata.namespace === namespace && baseOf(one) === base && !recorded.has(fullName(one)),
  );
  if (waiting !== undefined && name === undefined)
    throw usage(
      `RestoreSession ${fullName(waiting)} is declared on ${refOf(branch)} and has not run yet${asOf === undefined ? "" : `; this is as of ${asOf}`}`,
      `let it run first; for a second one beside it give it a name: holdfast restore NAME --again ${which}`,
    );
  const taken = new Set([...restores.map(fullName), ...recorded]);
  let number = 1;
  while (taken.has(`${namespace}/${base}-again-${number}`)) number += 1;
  const { apiVersion, kind } = found;
  const metadata = { name: name ?? `${base}-again-${number}`, namespace };
  return { apiVersion, kind, metadata, spec: found["spec"] };
}

/**
 * A restore runs once under its name: one that is declared already, or was claimed ever, is no name for another.
 * Answers which record it was compared with, where that may have gone on since.
 */
export async function refuseUsedName(
  branch: Branch,
  restore: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
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
  const { names, asOf } = await recordedRestores(branch, signal);
  if (names.has(name))
    throw usage(`RestoreSession ${name} stands in the record, so its name was used before`, next);
  return asOf;
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

type Claimed = {
  /** `namespace/name` of the restores. */
  readonly names: ReadonlySet<string>;
  /** The record that this was read from, where it may have gone on since. */
  readonly asOf?: string;
};

/** What the record knows. Throws `RecordNotFetched` (stall) in a clone without the record. */
async function recordedRestores(
  { remote, declared: { settings, revision } }: Branch,
  signal: AbortSignal,
): Promise<Claimed> {
  const { record, cluster } = settings;
  const prefix = record.kind === "folder" && record.folder !== "" ? `${record.folder}/` : "";
  const branch = record.kind === "branch" ? record.branch : (revision.branch ?? "");
  // A clone knows the record of what it is a clone of; a branch of its own may be older, and a claim stays for ever.
  const [own, origin, isClone] = await Promise.all([
    remote.tip(branch, signal),
    remote.originTip(branch, signal),
    remote.isClone(signal),
  ]);
  const tips = [own, origin].filter((tip) => tip !== undefined);
  if (isClone && tips.length === 0) throw notFetched(remote, branch);
  const folder = `${prefix}${clusterFolder(cluster)}/restores`;
  const files = await Promise.all(tips.map((tip) => remote.files(tip, folder, signal)));
  const entries = files.flat().flatMap((file) => parseEntryPath(file?.path.slice(prefix.length) ?? "") ?? []);
  const names = new Set(entries.map(({ namespace, name }) => `${namespace}/${name}`));
  return isClone ? { names, asOf: await newestOf(remote, tips, signal) } : { names };
}

async function newestOf(remote: Remote, tips: readonly Oid[], signal: AbortSignal): Promise<string> {
  const commits = await Promise.all(tips.map((tip) => remote.commit(tip, signal)));
  const { oid, committedAt } = commits.reduce((one, two) => (two.committedAt > one.committedAt ? two : one));
  return `commit ${oid.slice(0, 12)} of ${timeText(committedAt)}, the newest of the record in the clone ${remote.where}`;
}

/** In a clone without it the record may well be at the origin, and what ran would be taken for new. */
function notFetched({ where }: Remote, record: string): HoldfastError {
  const message = `${where} is a clone without the branch ${record}, so which restores have run is not known`;
  return new HoldfastError("RecordNotFetched", message, {
    disposition: "stall",
    next: `run git fetch origin ${record}:refs/remotes/origin/${record} in it, or, also when there is no such branch yet, name the origin with --remote`,
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
