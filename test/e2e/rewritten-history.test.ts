import { afterEach, describe, expect, test } from "vitest";
import type { PassResult } from "../../src/pass/reconcile.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { localStorage, namespaceObject, retentionPolicy } from "./lab.ts";

const worlds: HoldfastWorld[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** A cluster with a declared storage, of which the record tells. */
async function recorded(): Promise<HoldfastWorld> {
  const world = await openWorld();
  worlds.push(world);
  await world.create(namespaceObject("vault"));
  world.remote.commit("Declare a storage", { "clusters/lab/storage.yaml": localStorage(world) });
  for (let passes = 0; passes < 20 && world.remote.recordTip() === undefined; passes += 1)
    await world.pass({ flush: true });
  await world.pass();
  return world;
}

/** A commit with the branch's own files that does not go on from it, as an amend makes it. */
function rewrite(
  { remote }: HoldfastWorld,
  branch: string,
): { readonly before: string; readonly after: string } {
  const before = remote.git("rev-parse", branch).trim();
  const after = remote
    .git(
      "-c",
      "user.name=A",
      "-c",
      "user.email=a@example.org",
      "commit-tree",
      "-m",
      "Anew",
      `${branch}^{tree}`,
    )
    .trim();
  remote.git("update-ref", `refs/heads/${branch}`, after);
  return { before, after };
}

/** A pass of a process that has just begun. */
function pass(world: HoldfastWorld, acceptRewritten: readonly string[] = []): Promise<PassResult> {
  return world.pass({ acceptRewritten });
}

describe.runIf(requireOrSkip("git"))("a history that was rewritten", () => {
  test("stops everything on the branch that declares, also after a restart, until a person takes it", async () => {
    const world = await recorded();
    const { before, after } = rewrite(world, "main");
    const refusal = {
      reason: "HistoryRewritten",
      disposition: "stall",
      message: expect.stringMatching(new RegExp(`main .*${after}.*${before}`)),
      next: expect.stringContaining(`--accept-rewritten ${after}`),
    };
    await expect(pass(world)).rejects.toMatchObject(refusal);
    await expect(world.pass({ planOnly: true })).rejects.toMatchObject(refusal);
    await expect(pass(world, [before])).rejects.toMatchObject(refusal);
    expect((await pass(world, [after])).plan.revision).toBe(after);
    // Taken in once, it is what the next commits go on from.
    expect((await pass(world)).plan.revision).toBe(after);
    world.remote.git("update-ref", "refs/heads/main", before);
    await expect(pass(world)).rejects.toMatchObject({ reason: "HistoryRewritten" });
  });

  test("stops everything on the branch of the record, and so does a record that was taken away", async () => {
    const world = await recorded();
    const { before, after } = rewrite(world, "holdfast-record");
    const main = world.remote.commit("Declare a policy", { "clusters/lab/more.yaml": retentionPolicy() });
    await expect(pass(world)).rejects.toMatchObject({
      reason: "HistoryRewritten",
      message: expect.stringMatching(new RegExp(`holdfast-record .*${after}.*${before}`)),
    });
    expect(await world.get("RetentionPolicy", "vault", "keep")).toBeUndefined();
    expect(world.remote.recordTip()).toBe(after);

    world.remote.git("update-ref", "-d", "refs/heads/holdfast-record");
    await expect(pass(world)).rejects.toMatchObject({
      reason: "HistoryRewritten",
      next: expect.stringContaining(`--accept-rewritten ${before}`),
    });
    expect(world.remote.recordTip()).toBeUndefined();

    world.remote.git("update-ref", "refs/heads/holdfast-record", before);
    expect((await world.pass({ flush: true })).plan.revision).toBe(main);
    expect(await world.get("RetentionPolicy", "vault", "keep")).toBeDefined();
    world.remote.git("merge-base", "--is-ancestor", before, "holdfast-record");
  });
});
