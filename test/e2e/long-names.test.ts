import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { configuration, phase, settle } from "./lab.ts";

let world: HoldfastWorld;

describe.runIf(requireOrSkip("restic", "git"))(
  "a configuration and a repository whose names have 253 characters",
  () => {
    beforeEach(async () => {
      world = await openWorld();
    }, 60_000);

    afterEach(() => world?.close());

    test("are scheduled, backed up and recorded like any other", async () => {
      await settle(world);
      const name = `${"n".repeat(240)}.${"x".repeat(12)}`;
      world.remote.commit("Declare long names", {
        "clusters/lab/app.yaml": configuration({ name, repository: "r".repeat(253), directory: "/long" }),
      });
      const { end, problems, failures } = await world.run();
      expect({ end, problems, failures }).toEqual({ end: "done", problems: [], failures: [] });
      const snapshots = await world.list("Snapshot", "vault");
      expect(snapshots.map(phase)).toEqual(["Succeeded"]);
      expect(snapshots[0]?.metadata.labels?.["kubestash.com/repo-name"]).toBe("r".repeat(63));
      expect(world.remote.recordFile(`clusters/lab/configurations/vault/${name}.yaml`)).toContain(name);
    });
  },
);
