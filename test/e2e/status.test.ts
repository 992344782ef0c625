import { expect, test } from "vitest";
import { stateMap } from "../../src/api/own-notes.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { openWorld } from "../support/holdfast-world.ts";
import { namespaceObject } from "./lab.ts";

test("a name of the cluster that is no longer in use does not count where another one is asked for", async () => {
  const world = await openWorld();
  try {
    const namespace = "notes";
    const away = { sinceMs: Date.UTC(2026, 0, 1), because: "nobody listens" };
    await world.create(namespaceObject(namespace));
    await world.create(stateMap({ cluster: "old", namespace }, { refused: "it cannot be followed", away }));
    await world.create(stateMap({ cluster: "new", namespace }, {}));
    const statusOf = (...args: readonly string[]) =>
      holdfast(["status", "--kubeconfig", world.kubeconfigPath, "--own-namespace", namespace, ...args]);
    const told =
      /The remote of old is away since 2026-01-01T00:00:00Z: nobody listens\nThe branch's tip is refused for old: it cannot be followed\n/;
    for (const asked of [[], ["--cluster", "old"]])
      expect(await statusOf(...asked)).toMatchObject({ code: 1, stdout: expect.stringMatching(told) });
    expect(await statusOf("--cluster", "new")).toMatchObject({
      code: 0,
      stdout: expect.not.stringMatching(/away|refused/),
    });
  } finally {
    await world.close();
  }
});
