import { describe, expect, test } from "vitest";
import type { ResolvedTask } from "../../../src/pass/plan/resolve-task.ts";
import { claimsWanted, targetVolumesError, volumesOfClaims } from "../../../src/pass/plan/target-volumes.ts";
import { type TargetPart, wholePart } from "../../../src/pass/plan/targets.ts";

function task(targetVolumes: ResolvedTask["targetVolumes"]): ResolvedTask {
  return {
    name: "restore",
    driver: "Restic",
    singleton: false,
    values: {},
    functionSpec: {},
    volumes: [],
    mounts: [],
    targetVolumes,
  };
}

function pod(ordinal: string): TargetPart {
  return { ...wholePart(`dump-pod-${ordinal}`), ordinal };
}

const template = (name: string) => ({ metadata: { name }, spec: { accessModes: ["ReadWriteOnce"] } });
const mount = (name: string) => ({ name, mountPath: `/${name}` });
// In two pieces, because it is a variable of ours and not of the language.
const ordinal = "$" + "{POD_ORDINAL}";

describe("volumes of claim templates", () => {
  test("a mount gets the claim that is called like it, else the one that begins like it", () => {
    const both = task({
      volumeMounts: [mount("data"), mount("logs")],
      volumeClaimTemplates: [template("database-web-0"), template(`data-web-${ordinal}`), template("logs")],
    });
    expect(volumesOfClaims(both, pod("2"))).toEqual([
      { name: "data", persistentVolumeClaim: { claimName: "data-web-2" } },
      { name: "logs", persistentVolumeClaim: { claimName: "logs" } },
    ]);
  });

  test("a mount that has a volume of its own keeps it", () => {
    const own = task({
      volumes: [{ name: "data", emptyDir: {} }],
      volumeMounts: [mount("data")],
      volumeClaimTemplates: [template("data")],
    });
    expect(volumesOfClaims(own, wholePart("dump"))).toEqual([]);
  });

  test("a part that is no pod of a StatefulSet counts as number 0", () => {
    expect(
      claimsWanted(task({ volumeClaimTemplates: [template(`data-${ordinal}`)] }), wholePart("dump")),
    ).toMatchObject([{ name: "data-0" }]);
  });

  test("a mount without any volume, and a claim for two components, are refused by name", () => {
    const homeless = task({ volumeMounts: [mount("cache")], volumeClaimTemplates: [template("data")] });
    expect(targetVolumesError([{ task: homeless, part: pod("0") }])).toContain("the mount cache has neither");
    const shared = task({ volumeMounts: [mount("data")], volumeClaimTemplates: [template("data")] });
    const both = [pod("0"), pod("1")].map((part) => ({ task: shared, part }));
    expect(targetVolumesError(both)).toContain("several components would be restored into the claim data");
    const numbered = task({
      volumeMounts: [mount("data")],
      volumeClaimTemplates: [template(`data-${ordinal}`)],
    });
    expect(
      targetVolumesError([pod("0"), pod("1")].map((part) => ({ task: numbered, part }))),
    ).toBeUndefined();
  });
});
