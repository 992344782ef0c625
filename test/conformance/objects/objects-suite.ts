import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoldfastError } from "../../../src/base/errors.ts";
import type { Objects } from "../../../src/ports/objects/objects.ts";

/** A new, empty store; and the same data seen from a location above it where `neighbour` lies beside it. */
export type StoreUnderTest = { readonly objects: Objects; readonly neighbour: Objects };

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (content: Uint8Array | undefined) =>
  content === undefined ? undefined : new TextDecoder().decode(content);

export async function keysOf(objects: Objects, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of objects.list(prefix)) keys.push(key);
  return keys;
}

/** The reason of the HoldfastError that a promise rejects with. */
export async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof HoldfastError
    ? `${thrown.disposition} ${thrown.reason}`
    : `not refused: ${String(thrown)}`;
}

/** What every `Objects` must do. `open` gives a new, empty store at each call. */
export function objectsConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`objects on ${name}`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(async () => {
      await store.objects.deleteAll("");
    });

    contents(() => store);
    listsAndDeletes(() => store);
    limits(() => store);
  });
}

function contents(store: () => StoreUnderTest): void {
  it("answers undefined for a key that is absent", async () => {
    expect(await store().objects.get("no/such/key.yaml")).toBeUndefined();
  });

  it("gives back the bytes that were put, whatever they are", async () => {
    const content = new Uint8Array(256).map((_, index) => index);
    await store().objects.put("bytes/all", content, { contentType: "application/x-yaml" });
    expect(await store().objects.get("bytes/all")).toEqual(content);
    await store().objects.put("bytes/none", new Uint8Array());
    expect(await store().objects.get("bytes/none")).toEqual(new Uint8Array());
  });

  it("replaces an object whole, also by a shorter one", async () => {
    await store().objects.put("replaced.yaml", bytes("a long first content"));
    await store().objects.put("replaced.yaml", bytes("short"));
    expect(text(await store().objects.get("replaced.yaml"))).toBe("short");
  });

  it("shows readers the old or the new content while it is replaced", async () => {
    const contents = ["a", "b"].map((letter) => letter.repeat(200_000));
    await store().objects.put("torn", bytes(contents[0] ?? ""));
    const writes = (async () => {
      for (let round = 0; round < 20; round += 1)
        await store().objects.put("torn", bytes(contents[round % 2] ?? ""));
    })();
    for (let round = 0; round < 20; round += 1) {
      expect(contents).toContain(text(await store().objects.get("torn")));
    }
    await writes;
  });
}

function listsAndDeletes(store: () => StoreUnderTest): void {
  it("lists recursively in key order with sizes, and by prefix", async () => {
    const keys = ["list/b.yaml", "list/a/2", "list/a/10", "list/a-b", "list/a.yaml", "list/ä", "list/Z"];
    for (const key of keys) await store().objects.put(key, bytes(key));
    const inOrder = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await keysOf(store().objects, "list/")).toEqual(inOrder);
    expect(await keysOf(store().objects, "list/a")).toEqual(
      inOrder.filter((key) => key.startsWith("list/a")),
    );
    expect(await keysOf(store().objects, "list/none")).toEqual([]);
    for await (const { key, sizeBytes, modifiedMs } of store().objects.list("list/")) {
      expect(sizeBytes).toBe(Buffer.byteLength(key));
      expect(Math.abs(modifiedMs - Date.now())).toBeLessThan(600_000);
    }
  });

  it("lists more than one page", async () => {
    const many = Array.from({ length: 1100 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
    for (let from = 0; from < many.length; from += 25) {
      await Promise.all(many.slice(from, from + 25).map((key) => store().objects.put(key, bytes("x"))));
    }
    expect(await keysOf(store().objects, "many/")).toEqual(many);
    expect(await store().objects.deleteAll("many")).toBe(many.length);
    expect(await keysOf(store().objects, "many/")).toEqual([]);
  });

  it("deletes an object, and is content when it is absent", async () => {
    await store().objects.put("deleted/one", bytes("x"));
    await store().objects.delete("deleted/one");
    await store().objects.delete("deleted/one");
    await store().objects.delete("deleted/never/was");
    expect(await keysOf(store().objects, "deleted")).toEqual([]);
  });

  it("deletes everything under a folder and nothing beside it", async () => {
    for (const key of ["wipe/a", "wipe/b/c", "wipe-not/a", "wipe.yaml"]) {
      await store().objects.put(key, bytes("x"));
    }
    expect(await store().objects.deleteAll("wipe")).toBe(2);
    expect(await keysOf(store().objects, "wipe")).toEqual(["wipe-not/a", "wipe.yaml"]);
    expect(await store().objects.deleteAll("wipe-not/")).toBe(1);
    expect(await store().objects.deleteAll("never-was")).toBe(0);
  });
}

function limits(store: () => StoreUnderTest): void {
  it("refuses an object above the limit and reads one at the limit", async () => {
    await store().objects.put("large", new Uint8Array(1024 * 1024 + 1));
    expect(await reasonOf(store().objects.get("large"))).toBe("stall ObjectTooLarge");
    expect((await store().objects.get("large", { maxBytes: 1024 * 1024 + 1 }))?.length).toBe(1024 * 1024 + 1);
  });

  it.each(["", "/absolute", "../out", "a/../../out", "a//b", "a/", "./a", "a\0b", "a\nb"])(
    "refuses the key %j",
    async (key) => {
      expect(await reasonOf(store().objects.put(key, bytes("x")))).toBe("stall InvalidKey");
      expect(await reasonOf(store().objects.get(key))).toBe("stall InvalidKey");
      expect(await reasonOf(store().objects.delete(key))).toBe("stall InvalidKey");
    },
  );

  it("refuses prefixes that climb", async () => {
    expect(await reasonOf(keysOf(store().objects, "../"))).toBe("stall InvalidKey");
    expect(await reasonOf(store().objects.deleteAll("a/../.."))).toBe("stall InvalidKey");
  });

  it("never reaches what lies beside its own prefix, even when it deletes everything", async () => {
    await store().neighbour.put("mine", bytes("x"));
    await store().objects.put("gone", bytes("x"));
    await store().objects.deleteAll("");
    expect(await keysOf(store().objects, "")).toEqual([]);
    expect(text(await store().neighbour.get("mine"))).toBe("x");
    await store().neighbour.deleteAll("");
  });
}
