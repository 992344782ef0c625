import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { bytes, keysOf, objectsConformance, reasonOf, text } from "./objects-suite.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "holdfast-objects-"));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

async function openFolder(name: string) {
  const directory = join(home, name);
  await mkdir(directory, { recursive: true });
  return { directory, objects: openObjects({ provider: "local", directory }) };
}

objectsConformance("a directory", async () => ({
  objects: (await openFolder("store/own")).objects,
  neighbour: (await openFolder("store/own-not")).objects,
}));

objectsConformance("a directory behind a symbolic link", async () => {
  const { directory } = await openFolder("volume");
  await symlink(directory, join(home, "link"));
  return {
    objects: openObjects({ provider: "local", directory: join(home, "link") }),
    neighbour: (await openFolder("volume-not")).objects,
  };
});

describe("objects in a directory", () => {
  it("refuses a directory that is not there instead of making an empty store", async () => {
    const objects = openObjects({ provider: "local", directory: join(home, "not-mounted") });
    expect(await reasonOf(objects.get("a"))).toBe("stall DirectoryNotFound");
    expect(await reasonOf(objects.put("a", bytes("x")))).toBe("stall DirectoryNotFound");
    expect(await reasonOf(keysOf(objects, ""))).toBe("stall DirectoryNotFound");
    expect(await readdir(home)).not.toContain("not-mounted");
  });

  it("removes the folders that a deletion leaves empty, and never its own", async () => {
    const { directory, objects } = await openFolder("empties");
    await objects.put("a/b/c", bytes("x"));
    await objects.put("a/d", bytes("x"));
    await objects.delete("a/b/c");
    expect(await readdir(join(directory, "a"))).toEqual(["d"]);
    await objects.delete("a/d");
    expect(await readdir(directory)).toEqual([]);
  });

  it("neither reads, lists, writes nor deletes through a symbolic link that leads out", async () => {
    const { directory, objects } = await openFolder("inside");
    const outside = join(home, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "precious");
    await symlink(outside, join(directory, "door"));
    await symlink(join(outside, "secret"), join(directory, "peep"));
    expect(await reasonOf(objects.get("door/secret"))).toBe("stall InvalidKey");
    expect(await reasonOf(objects.put("door/new", bytes("x")))).toBe("stall InvalidKey");
    expect(await reasonOf(objects.put("door/deep/new", bytes("x")))).toBe("stall InvalidKey");
    expect(await reasonOf(objects.delete("door/secret"))).toBe("stall InvalidKey");
    expect(await objects.get("peep")).toBeUndefined();
    expect(await keysOf(objects, "")).toEqual([]);
    await objects.put("peep", bytes("own"));
    expect(text(await objects.get("peep"))).toBe("own");
    await objects.deleteAll("");
    expect(await readdir(outside)).toEqual(["secret"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("precious");
  });

  it("takes what a killed put left behind for no object, and cleans it away with the rest", async () => {
    const { directory, objects } = await openFolder("killed");
    await writeFile(join(directory, ".holdfast-0123456789abcdef.tmp"), "half");
    expect(await keysOf(objects, "")).toEqual([]);
    expect(await objects.deleteAll("")).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it("leaves no file beside the object when a put fails", async () => {
    const { directory, objects } = await openFolder("occupied");
    await mkdir(join(directory, "taken"));
    await writeFile(join(directory, "taken", "file"), "x");
    expect(await reasonOf(objects.put("taken", bytes("x")))).toBe("retry StoreFailed");
    expect(await readdir(directory)).toEqual(["taken"]);
  });
});
