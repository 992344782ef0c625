import { expect, onTestFinished, test } from "vitest";
import { openCronBench } from "./cron-bench.ts";

test("a minute wakes the CronJobs that are due, and leaves all others alone", async () => {
  const bench = await openCronBench("2026-11-20T12:00:30Z");
  onTestFinished(() => bench.close());
  let wake: () => void = () => undefined;
  const woken: string[] = [];
  const controller = bench.newController((callback) => {
    wake = callback;
    return () => undefined;
  });
  await controller.start?.((key) => woken.push(key));
  const hourly = `default/${await bench.declare("0 * * * *", "Etc/UTC")}`;
  const yearly = `default/${await bench.declare("0 0 29 2 *", "Etc/UTC")}`;
  for (const key of [hourly, yearly]) await controller.reconcile(key);
  wake();
  expect(woken).toEqual([]);
  bench.clock.advance(3_600_000);
  wake();
  expect(woken).toEqual([hourly]);
  await controller.reconcile(hourly);
  wake();
  expect(woken).toEqual([hourly]);
});
