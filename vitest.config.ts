import { defineConfig } from "vitest/config";

// Each room of tests is a project, so that a script, CI and a person can run one by name.
const project = (name: string, testTimeout: number, fileParallelism: boolean) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: testTimeout,
    fileParallelism,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", 10_000, true),
      project("architecture", 60_000, true),
      project("conformance", 60_000, true),
      project("e2e", 240_000, false),
    ],
  },
});
