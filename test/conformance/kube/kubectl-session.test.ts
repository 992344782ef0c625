import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireOrSkip } from "../../support/real-parts.ts";
import { clusterScenes } from "./kubectl/cluster-scenes.ts";
import { kindScenes } from "./kubectl/kind-scenes.ts";
import { objectScenes } from "./kubectl/object-scenes.ts";
import { play } from "./kubectl/session.ts";
import { openTheatre, type Theatre } from "./kubectl/stages.ts";
import { workloadScenes } from "./kubectl/workload-scenes.ts";

const scenes = [...workloadScenes, ...clusterScenes, ...objectScenes, ...kindScenes];
const hasAll = requireOrSkip("kubectl", "kube-apiserver", "etcd", "kube-controller-manager");

describe.runIf(hasAll)("a session of kubectl", () => {
  let theatre: Theatre | undefined;
  beforeAll(async () => {
    theatre = await openTheatre();
  });
  afterAll(() => theatre?.close());

  it.concurrent.each(scenes)(
    "$title, with the same output from the embedded server as from a real one",
    async (scene) => {
      if (theatre === undefined) throw new Error("the servers are not up");
      expect((await play(scene, await theatre.open())).join("\n\n")).toBe("");
    },
    120_000,
  );
});
