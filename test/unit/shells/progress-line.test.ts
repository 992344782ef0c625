import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { type ProgressStream, progressLine } from "../../../src/shells/cli/progress-line.ts";

const half = {
  secondsElapsed: 1,
  percentDone: 50,
  totalFiles: 4,
  filesDone: 2,
  totalBytes: 4096,
  bytesDone: 2048,
};

function shown(isTTY: boolean, columns: number): string {
  const through = new PassThrough();
  const stream: ProgressStream = { isTTY, columns, write: (text: string) => through.write(text) };
  const line = progressLine("dump", stream);
  line.show(half);
  line.end();
  return String(through.read() ?? "");
}

test("a terminal gets one line, which is cleared at the end", () => {
  expect(shown(true, 200)).toBe("\r\x1b[Kdump: 50%, 2 of 4 files, 2.000 KiB of 4.000 KiB\r\x1b[K");
});

test("a narrow terminal gets no more than it can show on one line", () => {
  expect(shown(true, 30)).toBe("\r\x1b[Kdump: 50%, 2 of 4 files, 2.00\r\x1b[K");
});

test("elsewhere there is no progress at all", () => {
  expect(shown(false, 200)).toBe("");
});
