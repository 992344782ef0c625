import { isGood, snapshotTime } from "../../api/good-snapshot.ts";
import type { KubeObject } from "../../api/meta.ts";
import { asRecord } from "../../base/json.ts";
import { componentsOf, conditionIs, snapshotsOf } from "./snapshots.ts";
import type { World } from "./world.ts";

export const acceptShrink = "holdfast.dev/accept-shrink";

type Asked = (component: string) => boolean;

/**
 * What a Snapshot lacks that good ones had, nearest first: components, and of each half of its objects, files or bytes;
 * and what is empty, unless that was so before. What is not asked for any more is not missed.
 */
export function losses(snapshot: KubeObject, good: readonly KubeObject[], isAsked: Asked): readonly string[] {
  const now = componentsOf(snapshot);
  const last = good.find((one) => sameSession(one, snapshot));
  const lost = Object.keys(last === undefined ? {} : componentsOf(last))
    .filter((component) => now[component] === undefined && isAsked(component))
    .map((component) => `${component} is not there, the last good one had it`);
  return [...lost, ...Object.keys(now).flatMap((component) => lossesOf(component, snapshot, good))];
}

function lossesOf(component: string, snapshot: KubeObject, good: readonly KubeObject[]): readonly string[] {
  const now = proofOf(component, snapshot);
  const before = comparedWith(component, snapshot, good);
  const was: Proof = before === undefined ? {} : proofOf(component, before);
  const count = (proof: Proof) => proof["objects"] ?? proof["files"];
  const empty = count(now) === 0 && count(was) !== 0 ? [`${component} is empty`] : [];
  const smaller = ["objects", "files", "bytes"].flatMap((measure) => {
    const [is, had] = [now[measure], was[measure]];
    if (typeof is !== "number" || typeof had !== "number" || had === 0 || is * 2 >= had) return [];
    return [`${component} has ${is} ${measure}, the last good one had ${had}`];
  });
  return [...empty, ...smaller];
}

type Proof = Readonly<Record<string, unknown>>;

function proofOf(component: string, snapshot: KubeObject): Proof {
  return asRecord(asRecord(componentsOf(snapshot)[component])["proof"]);
}

/**
 * What a component is compared with: the last good one of the same session, or, when that session has none yet, of any
 * session of the repository, so that a new or renamed session after a ruin is not taken for a fresh start.
 */
function comparedWith(
  component: string,
  snapshot: KubeObject,
  good: readonly KubeObject[],
): KubeObject | undefined {
  const having = good.filter((one) => componentsOf(one)[component] !== undefined);
  return having.find((one) => sameSession(one, snapshot)) ?? having[0];
}

/** The good Snapshots of a Repository that were taken before this one, newest first. */
export function goodBefore(
  snapshot: KubeObject,
  repository: KubeObject,
  world: World,
): readonly KubeObject[] {
  return goodBeside(snapshot, repository, world).filter((one) => snapshotTime(one) <= snapshotTime(snapshot));
}

/**
 * A Snapshot whose shrinking a person accepted, right before or after this one of the same session, beside which this
 * one lacks nothing: what is accepted once is accepted for all that are alike.
 */
export function acceptedBeside(
  snapshot: KubeObject,
  repository: KubeObject,
  { world, isAsked }: { readonly world: World; readonly isAsked: Asked },
): KubeObject | undefined {
  const own = goodBeside(snapshot, repository, world).filter((one) => sameSession(one, snapshot));
  const before = own.find((one) => snapshotTime(one) <= snapshotTime(snapshot));
  const after = own.findLast((one) => snapshotTime(one) > snapshotTime(snapshot));
  return [before, after].find(
    (one) =>
      one !== undefined &&
      conditionIs(one, "SourceShrunk", "False") &&
      losses(snapshot, [one], isAsked).length === 0,
  );
}

function goodBeside({ metadata }: KubeObject, repository: KubeObject, world: World): readonly KubeObject[] {
  return snapshotsOf(repository, world).filter((one) => one.metadata.name !== metadata.name && isGood(one));
}

function sameSession(one: KubeObject, other: KubeObject): boolean {
  return asRecord(one["spec"])["session"] === asRecord(other["spec"])["session"];
}
