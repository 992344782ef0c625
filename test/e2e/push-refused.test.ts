import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { PassMemory } from "../../src/pass/reconcile.ts";
import { runExitCode } from "../../src/shells/run-to-end.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { localStorage, namespaceObject } from "./lab.ts";

const worlds: HoldfastWorld[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** A storage, of which nothing final is to be recorded, and a remote that takes no push. */
async function refusing() {
  const world = await openWorld();
  worlds.push(world);
  await world.create(namespaceObject("vault"));
  world.remote.commit("Declare a storage", { "clusters/lab/storage.yaml": localStorage(world) });
  const hook = join(world.remote.bare, "hooks", "pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho the branch is protected >&2\nexit 1\n");
  chmodSync(hook, 0o755);
  return { world, allow: () => rmSync(hook) };
}

describe.runIf(requireOrSkip("git"))("a push that is refused", () => {
  test("of entries that could wait fails the run, and is told in every pass until one is taken", async () => {
    const { world, allow } = await refusing();
    const end = await world.run();
    expect(end.end).toBe("done");
    expect(end.last.recorded.kind).toBe("away");
    const refused = expect.objectContaining({
      reason: "RemoteAway",
      severity: "error",
      message: expect.stringContaining("the branch is protected"),
    });
    expect(end.problems.filter(({ reason }) => reason === "RemoteAway")).toEqual([refused]);
    expect(runExitCode(end)).toBe(1);

    let previous: PassMemory = end.last.memory;
    for (let passes = 0; passes < 3; passes += 1) {
      const { recorded, problems, memory } = await world.pass({ previous });
      expect(recorded.kind).toBe("away");
      expect(problems.filter(({ reason }) => reason === "RemoteAway")).toEqual(
        end.problems.filter(({ reason }) => reason === "RemoteAway"),
      );
      expect(memory.state.away).toEqual(end.last.memory.state.away);
      previous = memory;
    }

    allow();
    const taken = await world.pass({ previous });
    expect(taken.recorded.kind).toBe("written");
    const after = await world.pass({ previous: taken.memory });
    expect(after.problems).toEqual([]);
    expect(after.memory.state.away).toBeUndefined();
  });
});
