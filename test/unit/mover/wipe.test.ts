import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { wipe } from "../../../src/mover/storage/snapshot-file.ts";
import { createLocalObjects } from "../../../src/ports/objects/local-objects.ts";
import type { Objects } from "../../../src/ports/objects/objects.ts";

let directory: string;
let objects: Objects;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-wipe-"));
  objects = createLocalObjects({ provider: "local", directory });
  for (const key of ["shop/repository.yaml", "shop/repository/v1/config", "shop-2/repository.yaml"])
    await objects.put(key, Buffer.from("x"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function keys(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of objects.list("")) found.push(key);
  return found.toSorted();
}

it("takes one directory and not its neighbour of a longer name", async () => {
  await wipe(objects, "/shop");
  expect(await keys()).toEqual(["shop-2/repository.yaml"]);
});

it("touches nothing where another repository lies inside the directory", async () => {
  await objects.put("shop/web/repository.yaml", Buffer.from("x"));
  const before = await keys();
  await expect(wipe(objects, "/shop")).rejects.toMatchObject({
    reason: "RepositoryInside",
    message: expect.stringContaining("shop/web/repository.yaml"),
  });
  expect(await keys()).toEqual(before);
});
