import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { passes } from "./model/events.ts";
import { phase } from "./model/laws.ts";
import type { JobEnding } from "./model/mover.ts";
import { scene } from "./model/scene.ts";
import { Simulation } from "./model/simulation.ts";

/** A shop with a whole backup of its files, and a second one that ended like this. */
function after(source: JobEnding["source"], keep = 2, ok = true): { simulation: Simulation; name: string } {
  const simulation = new Simulation({ ...scene, keep });
  simulation.happen({ do: "trigger", session: "files" });
  simulation.settle();
  simulation.happen({ do: "clock", seconds: 1 });
  simulation.happen({ do: "trigger", session: "files" });
  simulation.happen(passes);
  simulation.happen({ do: "end-job", pick: 0, ending: { ok, report: true, source } });
  const name = newest(simulation)?.metadata.name ?? "";
  return { simulation, name };
}

function newest(simulation: Simulation): KubeObject | undefined {
  return simulation.cluster
    .list("Snapshot")
    .filter((one) => asRecord(one["spec"])["session"] === "files")
    .sort((a, b) => (a.metadata.name < b.metadata.name ? 1 : -1))[0];
}

function condition(object: KubeObject | undefined, type: string): unknown {
  return records(asRecord(object?.["status"])["conditions"]).find((one) => one["type"] === type)?.["status"];
}

describe("a Snapshot", () => {
  test("that is whole succeeds once it lies in the backend", () => {
    const { simulation } = after("whole");
    expect(phase(newest(simulation))).not.toBe("Succeeded");
    simulation.happen(passes);
    expect(phase(newest(simulation))).toBe("Succeeded");
    expect(condition(newest(simulation), "SnapshotMetadataUploaded")).toBe("True");
  });

  test("of which a part is missing fails as partial", () => {
    const { simulation } = after("partial");
    simulation.happen(passes);
    expect([phase(newest(simulation)), condition(newest(simulation), "Partial")]).toEqual(["Failed", "True"]);
  });

  test.each(["small", "empty"] as const)(
    "whose source is %s is kept, and holds retention until it is accepted",
    (source) => {
      const { simulation, name } = after(source, 1);
      simulation.settle();
      expect([phase(newest(simulation)), condition(newest(simulation), "SourceShrunk")]).toEqual([
        "Succeeded",
        "True",
      ]);
      simulation.happen({ do: "trigger", session: "files" });
      simulation.settle();
      const all = () => simulation.cluster.list("Snapshot").map((one) => one.metadata.name);
      const held = all();
      expect(held).toContain(name);
      expect(held.length).toBeGreaterThan(3);
      simulation.happen({ do: "accept-shrink" });
      simulation.settle();
      simulation.happen({ do: "trigger", session: "files" });
      simulation.settle();
      expect(all().length).toBeLessThan(held.length);
      expect(all()).not.toContain(name);
    },
  );
});

describe("a Snapshot whose backend or namespace is away", () => {
  test("goes on trying while its backend is away, and fails for good when it stays away", () => {
    const { simulation } = after("whole");
    simulation.happen({ do: "backend", broken: true });
    simulation.happen(passes);
    expect([phase(newest(simulation)), condition(newest(simulation), "SnapshotMetadataUploaded")]).toEqual([
      "Running",
      "False",
    ]);
    simulation.happen({ do: "clock", seconds: 700 });
    simulation.happen(passes);
    expect(phase(newest(simulation))).toBe("Failed");
    simulation.settle();
    expect(phase(newest(simulation))).toBe("Failed");
  });

  test("fails at once when nothing was saved, but goes on trying when a part was", () => {
    const phases = [after("whole", 2, false), after("partial")].map(({ simulation }) => {
      simulation.happen({ do: "backend", broken: true });
      simulation.happen(passes);
      expect(condition(newest(simulation), "SnapshotMetadataUploaded")).toBe("False");
      return phase(newest(simulation));
    });
    expect(phases).toEqual(["Failed", "Running"]);
  });

  test("succeeds when its backend is back in time", () => {
    const { simulation } = after("whole");
    simulation.happen({ do: "backend", broken: true });
    simulation.happen(passes);
    simulation.happen({ do: "backend", broken: false });
    simulation.happen({ do: "clock", seconds: 61 });
    simulation.happen(passes);
    expect(phase(newest(simulation))).toBe("Succeeded");
  });

  test("comes back from its backend as it was, after its namespace was emptied", () => {
    const { simulation } = after("whole");
    simulation.settle();
    const before = simulation.cluster
      .list("Snapshot")
      .map((one) => one.metadata.name)
      .sort();
    simulation.happen({ do: "namespace", there: false });
    simulation.settle();
    expect(simulation.cluster.list("Snapshot")).toEqual([]);
    simulation.happen({ do: "namespace", there: true });
    simulation.settle();
    const back = simulation.cluster.list("Snapshot");
    expect(back.map((one) => one.metadata.name)).toEqual(expect.arrayContaining(before));
    expect(back.map(phase)).toEqual(back.map(() => "Succeeded"));
  });
});
