import { defineConfig } from "vitest/config";

/**
 * Four kinds of test, by folder, one kind after another so that a wrong decision is told before a process is started. Service and
 * system tests start real servers, and wait more than they compute; infra tests run the Bicep compiler: two files at a time keep two
 * cores busy and no more.
 */
const kinds = [
  { name: "unit", testTimeout: 10_000 },
  { name: "service", testTimeout: 30_000 },
  { name: "system", testTimeout: 90_000 },
  { name: "infra", testTimeout: 90_000 },
];

/** In CI each run leaves a report, which scripts/ci-count.mjs adds up. */
const report = ["json", { outputFile: `.local/test-report-${process.version}.json` }] as const;

export default defineConfig({
  test: {
    reporters: process.env["CI"] ? ["default", [...report]] : ["default"],
    projects: kinds.map(({ name, testTimeout }, groupOrder) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout,
        hookTimeout: 90_000,
        maxWorkers: 2,
        sequence: { groupOrder },
      },
    })),
  },
});
