import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureRestic } from "./ensure-restic.ts";

/**
 * `npm test`: all tests, or those whose arguments are handed on to vitest, and one plain line at the end. What the
 * tests put aside is in one temporary folder, which goes whatever became of them.
 */
async function main(): Promise<number> {
  await ensureRestic((line) => process.stdout.write(`${line}\n`));
  // A short name, because sockets of servers are in there, and their paths may not be long.
  const folder = mkdtempSync(join(tmpdir(), "hf-"));
  // Some tests read as another user what they put aside.
  chmodSync(folder, 0o711);
  const report = join(folder, "report.json");
  // Ctrl-C ends vitest, and then us.
  process.on("SIGINT", () => undefined);
  try {
    const vitest = new URL("../node_modules/vitest/vitest.mjs", import.meta.url).pathname;
    const { status } = spawnSync(
      process.execPath,
      [
        vitest,
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        ...process.argv.slice(2),
      ],
      { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, TMPDIR: folder } },
    );
    if (!existsSync(report)) {
      process.stdout.write("The tests were ended before they were done.\n");
      return 1;
    }
    const left = readdirSync(folder).filter((name) => name.startsWith("holdfast-"));
    if (left.length > 0) process.stdout.write(`Left behind by tests, and removed: ${left.join(" ")}\n`);
    const { passed, failed, skipped } = countsOf(report);
    if (skipped > 0)
      process.stdout.write(
        `${skipped} tests were skipped for want of a real part; CONTRIBUTING.md says how to get them.\n`,
      );
    // A file that could not even be loaded has no tests that failed.
    const broken = status !== 0 && failed === 0 ? 1 : 0;
    process.stdout.write(
      `${passed} passed, ${failed + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
    );
    return status === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function countsOf(report: string): {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
} {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
}

process.exitCode = await main();
