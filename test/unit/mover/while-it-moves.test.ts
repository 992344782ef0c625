import { expect, test } from "vitest";
import { whileItMoves } from "../../../src/mover/while-it-moves.ts";
import type { Progress } from "../../../src/ports/restic/restic.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";

const minute = 60_000;

function at(bytesDone: number, totalBytes = 100): Progress {
  return { secondsElapsed: 1, percentDone: 1, totalFiles: 2, filesDone: 1, totalBytes, bytesDone };
}

type Run = {
  readonly clock: ManualClock;
  readonly told: (progress: Progress) => void;
  readonly end: () => void;
};

/** A run that ends when it is told to, or by its signal with that word; the clock moves in steps of ten minutes. */
async function outcome(play: (run: Run) => Promise<void>, outer = new AbortController()): Promise<string> {
  const clock = manualClock(0);
  const result = whileItMoves({ clock, signal: outer.signal }, ({ signal, onProgress }) => {
    return new Promise<string>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      void play({ clock, told: onProgress, end: () => resolve("done") });
    });
  });
  return result.catch((thrown: Error) => thrown.message);
}

async function pass(clock: ManualClock, minutes: number): Promise<void> {
  for (let left = minutes; left > 0; left -= 10) {
    clock.advance(10 * minute);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

test("a restic that moves nothing for an hour is ended, and says so", async () => {
  const message = await outcome(async ({ clock, told, end }) => {
    told(at(1));
    await pass(clock, 50);
    told(at(1));
    await pass(clock, 20);
    end();
  });
  expect(message).toBe("restic has moved no file and no byte for an hour, and was ended");
});

test("one that never comes to its first file is ended too", async () => {
  const message = await outcome(async ({ clock, told, end }) => {
    told({ secondsElapsed: 1, percentDone: 0, totalFiles: 0, filesDone: 0, totalBytes: 0, bytesDone: 0 });
    await pass(clock, 70);
    end();
  });
  expect(message).toBe("restic has moved no file and no byte for an hour, and was ended");
});

test("one that moves now and then goes on for as long as it takes", async () => {
  const message = await outcome(async ({ clock, told, end }) => {
    for (let bytes = 1; bytes < 20; bytes += 1) {
      told(at(bytes));
      await pass(clock, 50);
    }
    end();
  });
  expect(message).toBe("done");
});

test.each([
  ["that tells no progress", []],
  ["whose last byte is done", [{ ...at(100), filesDone: 2 }]],
])("one %s is not judged", async (_title, progress) => {
  const message = await outcome(async ({ clock, told, end }) => {
    for (const one of progress) told(one);
    await pass(clock, 300);
    end();
  });
  expect(message).toBe("done");
});

test("a job that is told to end is not called a standstill", async () => {
  const outer = new AbortController();
  const message = await outcome(async ({ clock, told }) => {
    told(at(1));
    await pass(clock, 30);
    outer.abort();
  }, outer);
  expect(message).toBe("aborted");
});
