import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { holdfast } from "../../support/holdfast-command.ts";

it("a Job whose container sets a rate that is none says so in its last words, with exit code 2", async () => {
  const root = await mkdtemp(join(tmpdir(), "holdfast-job-"));
  onTestFinished(async () => await rm(root, { recursive: true }));
  const env = { HOLDFAST_ROOT: root, HOLDFAST_KUBE_QPS: "fast" };
  const { code, stderr } = await holdfast(["job", "forget"], { env });
  expect(code).toBe(2);
  const words = 'HOLDFAST_KUBE_QPS is "fast", which is no number above 0';
  expect(stderr).toContain(words);
  expect(await readFile(join(root, "dev/termination-log"), "utf8")).toContain(words);
});
