import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  keepAsPrevious,
  openLogFile,
  startOfTail,
  tailOfLog,
} from "../../../src/embedded/controllers/kubelet/log-file.ts";
import { terminationMessage } from "../../../src/embedded/controllers/kubelet/termination-message.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-log-"));
  path = join(directory, "logs/main.log");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function write(chunks: readonly string[], maxBytes = 100): Promise<void> {
  const log = await openLogFile(path, maxBytes);
  await Promise.all(chunks.map((chunk) => log.write(Buffer.from(chunk))));
  await log.close();
}

test("a log never takes more than two files of its size", async () => {
  await write(Array.from({ length: 50 }, (_, index) => `line ${String(index).padStart(3, "0")}\n`));
  const names = await readdir(join(directory, "logs"));
  expect(names.toSorted()).toEqual(["main.log", "main.log.1"]);
  for (const name of names) expect((await stat(join(directory, "logs", name))).size).toBeLessThanOrEqual(100);
  expect(await tailOfLog(path, 1_000)).toMatch(/line 048\nline 049\n$/);
});

test("a log goes on where an earlier run left it", async () => {
  await write(["one\n"]);
  await write(["two\n"]);
  expect(await tailOfLog(path, 1_000)).toBe("one\ntwo\n");
});

test("the tail spans both files and cuts no character in half", async () => {
  await write(["aaaa", "ääää"], 8);
  expect(await tailOfLog(path, 10)).toBe("aaääää".slice(-6));
  expect(await tailOfLog(path, 7)).toBe("äää");
});

test("a restart keeps the log of the run before", async () => {
  await write(["first\n"]);
  await keepAsPrevious(path);
  await write(["second\n"]);
  expect(await tailOfLog(path, 100)).toBe("second\n");
  expect(await tailOfLog(`${path}.previous`, 100)).toBe("first\n");
  await keepAsPrevious(join(directory, "logs/never.log"));
});

test("last words are the end of the message file, at most 4 KiB", async () => {
  const message = join(directory, "termination-log");
  await writeFile(message, `${"x".repeat(5_000)}the end`);
  const words = await terminationMessage({ path: message, logPath: path, fromLogs: false });
  expect(Buffer.byteLength(words)).toBe(4_096);
  expect(words.endsWith("the end")).toBe(true);
});

test("without a message the log's end is taken only when that was asked for", async () => {
  await write([`${"x".repeat(3_000)}\n`, "the reason\n"], 10_000);
  const request = { path: join(directory, "nothing"), logPath: path };
  expect(await terminationMessage({ ...request, fromLogs: false })).toBe("");
  const words = await terminationMessage({ ...request, fromLogs: true });
  expect(words.endsWith("the reason\n")).toBe(true);
  expect(Buffer.byteLength(words)).toBeLessThanOrEqual(2_048);
});

test("the last lines begin where they begin, also in the part that was set aside", async () => {
  await write(["one\n", "two\n", "three\n"], 10);
  expect(await readdir(join(directory, "logs"))).toEqual(["main.log", "main.log.1"]);
  expect(await startOfTail(path, 0)).toEqual({ before: undefined, offset: 6 });
  expect(await startOfTail(path, 1)).toEqual({ before: 8, offset: 0 });
  expect(await startOfTail(path, 2)).toEqual({ before: 4, offset: 0 });
  expect(await startOfTail(path, 9)).toEqual({ before: 0, offset: 0 });
  await write(["four, without an end"], 10);
  expect(await startOfTail(path, 1)).toEqual({ before: 6, offset: 0 });
  expect(await startOfTail(path, 2)).toEqual({ before: 0, offset: 0 });
});
