import { substitute } from "../../api/substitute.ts";
import { asRecord, records } from "../../base/json.ts";
import type { ResolvedTask } from "./resolve-task.ts";
import { type TargetPart } from "./targets.ts";

type Json = Readonly<Record<string, unknown>>;

/** A claim of `targetVolumes.volumeClaimTemplates` as one part wants it. */
export type ClaimWanted = { readonly name: string; readonly template: Json };

/** `${POD_ORDINAL}` is the number of the part's pod; 0 for parts that have none. */
export function forOrdinal(value: unknown, part: TargetPart): unknown {
  return substitute(value, { POD_ORDINAL: part.ordinal ?? "0" });
}

export function claimsWanted(task: ResolvedTask, part: TargetPart): readonly ClaimWanted[] {
  return records(task.targetVolumes["volumeClaimTemplates"]).map((template) => ({
    name: String(forOrdinal(asRecord(template["metadata"])["name"], part)),
    template,
  }));
}

/** A volume for each mount that `targetVolumes.volumes` does not have: the claim that is called like it. */
export function volumesOfClaims(task: ResolvedTask, part: TargetPart): readonly Json[] {
  const claims = claimsWanted(task, part);
  return mountsWithoutVolume(task).flatMap((mount) => {
    const claim = claimFor(mount, claims);
    return claim === undefined ? [] : [{ name: mount, persistentVolumeClaim: { claimName: claim.name } }];
  });
}

/** A mount of a StatefulSet is called `data`, its claim `data-web-0`. */
function claimFor(mount: string, claims: readonly ClaimWanted[]): ClaimWanted | undefined {
  return (
    claims.find(({ name }) => name === mount) ??
    claims.find(({ name }) => name.startsWith(`${mount}-`)) ??
    claims.find(({ name }) => name.startsWith(mount))
  );
}

function mountsWithoutVolume(task: ResolvedTask): readonly string[] {
  const volumes = records(task.targetVolumes["volumes"]).map((volume) => volume["name"]);
  const names = records(task.targetVolumes["volumeMounts"]).map((mount) => String(mount["name"]));
  return [...new Set(names)].filter((name) => !volumes.includes(name));
}

type Work = { readonly task: ResolvedTask; readonly part: TargetPart };

/** What is wrong with the target volumes of the parts together; undefined when nothing is. */
export function targetVolumesError(work: readonly Work[]): string | undefined {
  for (const { task, part } of work) {
    if (task.targetVolumes["volumeClaimTemplates"] === undefined) continue;
    const claims = claimsWanted(task, part);
    const homeless = mountsWithoutVolume(task).find((mount) => claimFor(mount, claims) === undefined);
    if (homeless !== undefined)
      return `task ${task.name}: the mount ${homeless} has neither a volume nor a claim template that is called like it`;
    const others = work.filter((one) => one.part.component !== part.component);
    const shared = claims.find(({ name }) =>
      others.some((other) => claimsWanted(other.task, other.part).some((claim) => claim.name === name)),
    );
    if (shared !== undefined)
      return `task ${task.name}: several components would be restored into the claim ${shared.name}; put \${POD_ORDINAL} into its name`;
  }
  return undefined;
}
