import { defineConfig } from "vitest/config";

// Each room of tests is a project, so that a script, CI and a person can run one by name.
const project = (
  name: string,
  testTimeout: number,
  fileParallelism: boolean,
  { globalSetup = [], exclude = [] }: { globalSetup?: string[]; exclude?: string[] } = {},
) => ({
  test: {
    name,
    globalSetup,
    include: [`test/${name}/**/*.test.ts`],
    exclude,
    testTimeout,
    hookTimeout: testTimeout,
    fileParallelism,
    // Real servers on a busy machine miss a deadline now and then; what fails twice has failed.
    retry: globalSetup.length > 0 ? 1 : 0,
  },
});

// Starts nothing until a test asks for the API server that all files of a run share.
const globalSetup = ["test/support/shared-kube-setup.ts"];

// Thousands of objects that are lost and brought back take minutes: a part of the long run.
const exclude =
  process.env["HOLDFAST_MIXED_OBJECTS"] === undefined ? ["test/e2e/mover/round-trip.test.ts"] : [];

export default defineConfig({
  test: {
    projects: [
      project("unit", 10_000, true),
      project("architecture", 60_000, true),
      project("conformance", 60_000, true, { globalSetup }),
      // Many kills in several worlds at once: each has its own, and none is timed.
      project(
        "e2e",
        240_000,
        Object.keys(process.env).some((name) => name.startsWith("HOLDFAST_FAULT_")),
        { globalSetup, exclude },
      ),
    ],
  },
});
