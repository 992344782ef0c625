import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { mayMount, mountSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import { ask, embedded, map, maps, settled, temporaryDirectory } from "./embedded-fixture.ts";

const disk = async (bytes: number): Promise<SmallDisk> => {
  const mounted = mountSmallDisk(join(await temporaryDirectory(), "disk"), bytes);
  onTestFinished(() => mounted.unmount());
  return mounted;
};

const full = {
  status: 507,
  body: {
    kind: "Status",
    reason: "InsufficientStorage",
    code: 507,
    message: expect.stringMatching(/cannot be written \(ENOSPC.*nothing was changed: make room/),
  },
};

describe.runIf(mayMount())("a full disk under the state", () => {
  it("refuses what it cannot keep, goes on, and has lost nothing", async () => {
    const { path, fill, makeRoom } = await disk(1 << 20);
    const directory = join(path, "state");
    const first = await embedded({ directory });
    await ask(first.api, "POST", maps(), { body: map("kept", { a: "1" }) });
    fill(8192);
    // Some still fit; the one that does not is cut off in the middle of its line.
    const told: string[] = [];
    const refused: unknown[] = [];
    for (let n = 0; n < 20; n++) {
      const answer = await ask(first.api, "POST", maps(), { body: map(`m${n}`, { a: "x".repeat(3000) }) });
      if (answer.status === 201) told.push(`m${n}`);
      else refused.push(answer);
    }
    expect(refused.length).toBeGreaterThan(0);
    expect(refused).toMatchObject(refused.map(() => full));
    expect(
      await ask(first.api, "PUT", maps("kept"), { body: map("kept", { a: "x".repeat(9000) }) }),
    ).toMatchObject(full);
    expect((await ask(first.api, "GET", maps("kept"))).body.data).toEqual({ a: "1" });
    makeRoom();
    expect(await ask(first.api, "POST", maps(), { body: map("after") })).toMatchObject({ status: 201 });
    const { items } = (await ask(first.api, "GET", maps())).body;
    await first.close();
    const second = await embedded({ directory });
    expect((await ask(second.api, "GET", maps())).body.items).toEqual(items);
    const names = items.map((item: { metadata: { name: string } }) => item.metadata.name);
    expect(names).toEqual(["after", "kept", ...told].toSorted());
  });

  it("keeps the journal when there is no room for a snapshot, and what follows a deletion is made up for", async () => {
    const { path, fill, makeRoom } = await disk(30 << 20);
    const directory = join(path, "state");
    const { api, close } = await embedded({ directory });
    const owner = (await ask(api, "POST", maps(), { body: map("owner") })).body.metadata;
    const owned = {
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.uid }],
    };
    await ask(api, "POST", maps(), { body: map("owned", {}, owned) });
    // Some 20 MiB of journal and 20 MiB of snapshot do not fit in 30.
    for (let n = 0; n < 20; n++) {
      const answer = await ask(api, "POST", maps(), { body: map(`m${n}`, { a: "x".repeat(1_000_000) }) });
      expect(answer.status).toBe(201);
    }
    fill(2048);
    // Room for the owner's deletion, and not for that of what it owned.
    let gone = await ask(api, "DELETE", maps("owner"));
    if (gone.status === 507) {
      makeRoom();
      gone = await ask(api, "DELETE", maps("owner"));
    }
    expect(gone.status).toBe(200);
    await settled();
    makeRoom();
    await expect
      .poll(async () => (await ask(api, "GET", maps("owned"))).status, { timeout: 8_000 })
      .toBe(404);
    await close();
    const second = await embedded({ directory });
    expect((await ask(second.api, "GET", maps())).body.items).toHaveLength(20);
  });
});
