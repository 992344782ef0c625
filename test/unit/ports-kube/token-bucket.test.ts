import { expect, it } from "vitest";
import { createTokenBucket } from "../../../src/ports/kube/token-bucket.ts";
import { manualClock } from "../../support/manual-clock.ts";

/** Names of the takers that got through, in order. */
function takers(qps: number, burst: number) {
  const clock = manualClock(1_000_000);
  const bucket = createTokenBucket(qps, burst, clock);
  const through: number[] = [];
  return {
    clock,
    bucket,
    through,
    take: (name: number, signal?: AbortSignal) => void bucket.take(signal).then(() => through.push(name)),
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

it("lets a burst through at once and the rest at the rate, in order", async () => {
  const { clock, through, take, settle } = takers(10, 3);
  for (let n = 1; n <= 6; n += 1) take(n);
  await settle();
  expect(through).toEqual([1, 2, 3]);
  clock.advance(100);
  await settle();
  expect(through).toEqual([1, 2, 3, 4]);
  clock.advance(200);
  await settle();
  expect(through).toEqual([1, 2, 3, 4, 5, 6]);
});

it("saves up no more than a burst", async () => {
  const { clock, through, take, settle } = takers(10, 2);
  clock.advance(3_600_000);
  for (let n = 1; n <= 4; n += 1) take(n);
  await settle();
  expect(through).toEqual([1, 2]);
});

it("gives back the token of a taker that was aborted", async () => {
  const { clock, through, take, settle } = takers(10, 1);
  const stop = new AbortController();
  take(1);
  take(2, stop.signal);
  await settle();
  stop.abort();
  await settle();
  take(3);
  await settle();
  expect(through).toEqual([1, 2]);
  clock.advance(100);
  await settle();
  expect(through).toEqual([1, 2, 3]);
});

it("lets nobody through while it is held, and the longer of two holds counts", async () => {
  const { clock, bucket, through, take, settle } = takers(10, 3);
  bucket.hold(5_000);
  bucket.hold(1_000);
  take(1);
  take(2);
  clock.advance(4_999);
  await settle();
  expect(through).toEqual([]);
  bucket.hold(3_000);
  clock.advance(1);
  await settle();
  expect(through).toEqual([]);
  clock.advance(2_999);
  await settle();
  expect(through).toEqual([1, 2]);
});

it("is not held for longer when the clock is set back", async () => {
  const { clock, bucket, through, take, settle } = takers(10, 3);
  bucket.hold(5_000);
  clock.advance(-3_600_000);
  take(1);
  await settle();
  expect(through).toEqual([1]);
});
