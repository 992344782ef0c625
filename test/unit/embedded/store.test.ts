import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import { Journal } from "../../../src/embedded/store/journal.ts";
import { Store } from "../../../src/embedded/store/store.ts";
import { temporaryDirectory } from "./embedded-fixture.ts";

const object = (name: string, value = ""): JsonObject => ({ metadata: { name, namespace: "a" }, value });
const names = (store: Store) => store.list("/things").map((item) => (item["metadata"] as JsonObject)["name"]);

describe("the store", () => {
  it("goes on counting revisions and keeps its objects when it is opened again", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    first.write("/things", "a/x", object("x"));
    first.write("/things", "a/y", object("y"));
    first.write("/things", "a/x", undefined);
    first.close();
    const second = new Store(directory);
    expect(second.revision).toBe(3);
    expect(names(second)).toEqual(["y"]);
    expect(second.write("/things", "a/z", object("z"))["metadata"]).toMatchObject({ resourceVersion: "4" });
    second.close();
  });

  it("keeps every digit of a whole number over a restart", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    first.write("/things", "a/x", { ...object("x"), count: 2n ** 63n - 1n });
    first.close();
    const second = new Store(directory);
    expect(second.list("/things")).toMatchObject([{ count: 2n ** 63n - 1n }]);
    second.close();
  });

  it("remembers over a restart what happened, so that watches can resume", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    for (const name of ["x", "y", "z"]) first.write("/things", `a/${name}`, object(name));
    first.write("/things", "a/y", undefined);
    first.close();
    const second = new Store(directory);
    expect(second.eventsAfter(2).map((event) => [event.type, event.key])).toEqual([
      ["ADDED", "a/z"],
      ["DELETED", "a/y"],
    ]);
    second.close();
  });
});

/** In the place of the journal that is open: a device that takes every write, keeps nothing, and cannot be synced. */
function loseTheJournal(directory: string): void {
  const journal = join(directory, "journal");
  const all = readdirSync("/proc/self/fd");
  const file = all.find(
    (fd) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`) === journal,
  );
  closeSync(Number(file));
  expect(openSync("/dev/null", "r+")).toBe(Number(file));
}

describe.runIf(process.platform === "linux")("a disk that loses what it took", () => {
  it("gets it once more before the state is closed", async () => {
    const directory = await temporaryDirectory();
    const heard: string[] = [];
    const first = new Store(directory, (message) => heard.push(message));
    first.write("/things", "a/x", object("x"));
    loseTheJournal(directory);
    first.write("/things", "a/y", object("y"));
    first.close();
    expect(heard).toEqual([expect.stringContaining(`${directory}: the disk refused`)]);
    const second = new Store(directory);
    expect(names(second)).toEqual(["x", "y"]);
    second.close();
  });

  it("gets it once more at once, and the writes that follow are kept", async () => {
    const directory = await temporaryDirectory();
    const heard: string[] = [];
    const first = new Store(directory, (message) => heard.push(message));
    loseTheJournal(directory);
    first.write("/things", "a/x", object("x"));
    await expect.poll(() => heard).toHaveLength(1);
    first.write("/things", "a/y", object("y"));
    // As a killed process leaves it.
    const copy = await temporaryDirectory();
    for (const file of ["snapshot", "journal"]) copyFileSync(join(directory, file), join(copy, file));
    const second = new Store(copy);
    expect(names(second)).toEqual(["x", "y"]);
    second.close();
    first.close();
  });

  it("makes the end loud when it does not take it then either", async () => {
    const directory = await temporaryDirectory();
    const heard: string[] = [];
    const first = new Store(directory, (message) => heard.push(message));
    mkdirSync(join(directory, "snapshot.next"));
    loseTheJournal(directory);
    first.write("/things", "a/x", object("x"));
    await expect.poll(() => heard).toHaveLength(2);
    expect(heard[1]).toContain("nothing is written until the disk takes it");
    expect(() => first.write("/things", "a/y", object("y"))).toThrow(expect.objectContaining({ code: 507 }));
    expect(() => first.close()).toThrow(expect.objectContaining({ reason: "StateNotOnDisk" }));
    new Store(directory).close();
  });
});

describe("the state on disk", () => {
  it("cuts off a line that was torn by a crash, and nothing else", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    first.write("/things", "a/x", object("x"));
    first.write("/things", "a/y", object("y"));
    first.close();
    const journal = join(directory, "journal");
    truncateSync(journal, readFileSync(journal).length - 7);
    const second = new Store(directory);
    expect(names(second)).toEqual(["x"]);
    expect(second.revision).toBe(1);
    second.write("/things", "a/w", object("w"));
    second.close();
    const third = new Store(directory);
    expect(names(third)).toEqual(["w", "x"]);
    third.close();
  });

  it("refuses a journal that is damaged in the middle", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    first.write("/things", "a/x", object("x", "one"));
    first.write("/things", "a/y", object("y"));
    first.close();
    const journal = join(directory, "journal");
    writeFileSync(journal, readFileSync(journal, "utf8").replace("one", "two"));
    expect(() => new Store(directory)).toThrow(expect.objectContaining({ reason: "StateDamaged" }));
  });
});

describe("the history of the store", () => {
  it("shows lists as they were at an earlier revision", async () => {
    const store = new Store(await temporaryDirectory());
    store.write("/things", "a/x", object("x", "old"));
    store.write("/things", "a/y", object("y"));
    const { revision } = store;
    store.write("/things", "a/x", object("x", "new"));
    store.write("/things", "a/y", undefined);
    store.write("/things", "a/z", object("z"));
    expect(store.listAt("/things", revision).map((item) => item["value"])).toEqual(["old", ""]);
    store.close();
  });

  it("forgets what is too long ago, and says so with 410", async () => {
    const store = new Store(await temporaryDirectory());
    for (let i = 0; i < 16_000; i++) store.write("/things", "a/x", object("x", String(i)));
    expect(() => store.eventsAfter(10)).toThrow(expect.objectContaining({ code: 410, reason: "Expired" }));
    expect(store.eventsAfter(store.revision - 2)).toHaveLength(2);
    store.close();
  });
});

describe("snapshots", () => {
  it("keeps everything when the journal grows into a snapshot, also if the end of that is never reached", async () => {
    const directory = await temporaryDirectory();
    const store = new Store(directory);
    const large = "x".repeat(1 << 20);
    for (let i = 0; i < 40; i++) store.write("/things", `a/${i % 5}`, object(String(i % 5), `${i} ${large}`));
    const { revision } = store;
    const last = names(store);
    store.close();
    expect(readFileSync(join(directory, "journal")).length).toBeLessThan(20 << 20);
    // A crash while the next snapshot is written leaves a file that nobody reads.
    writeFileSync(join(directory, "snapshot.next"), "half");
    const again = new Store(directory);
    expect(again.revision).toBe(revision);
    expect(names(again)).toEqual(last);
    expect(String(again.get("/things", "a/4")?.["value"])).toMatch(/^39 /);
    again.close();
  });

  it("skips lines of the journal that the snapshot already has", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    first.write("/things", "a/x", object("x", "1"));
    first.write("/things", "a/x", object("x", "2"));
    first.close();
    const journal = readFileSync(join(directory, "journal"));
    const between = Journal.open(directory, () => undefined);
    between.compact([{ r: 0, s: 1, k: "/things", n: "a/x", o: object("x", "2") }, { r: 2 }]);
    between.close();
    // As if the crash came after the rename and before the journal was cut.
    appendFileSync(join(directory, "journal"), journal);
    const second = new Store(directory);
    expect(second.revision).toBe(2);
    expect(second.get("/things", "a/x")?.["value"]).toBe("2");
    second.close();
  });
});

describe("the folder of the store", () => {
  it("belongs to one process at a time", async () => {
    const directory = await temporaryDirectory();
    const first = new Store(directory);
    expect(() => new Store(directory)).toThrow(expect.objectContaining({ reason: "StateLocked" }));
    first.close();
    new Store(directory).close();
  });

  it("is taken over from a process that is gone", async () => {
    const directory = await temporaryDirectory();
    writeFileSync(join(directory, "lock"), JSON.stringify({ pid: 2 ** 22 - 1, started: "1" }));
    new Store(directory).close();
    writeFileSync(join(directory, "lock"), JSON.stringify({ pid: process.pid, started: "another start" }));
    new Store(directory).close();
    writeFileSync(join(directory, "lock"), "");
    const store = new Store(directory);
    expect(JSON.parse(readFileSync(join(directory, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    store.close();
  });
});
