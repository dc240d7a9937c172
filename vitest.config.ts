import { defineConfig } from "vitest/config";

/**
 * Kinds of test, by folder: so that a wrong decision is told before a process is started. Unit tests compute, and two files at a
 * time keep two cores busy; the others start servers and compilers, and wait besides. Files share what a worker has loaded, since to
 * load the SDKs for each anew takes longer than the tests; not those of the host, which keeps the app that it loaded in globals.
 */
const kinds = [
  { name: "unit", testTimeout: 10_000, maxWorkers: 2, groupOrder: 0, isolate: false },
  { name: "service", testTimeout: 30_000, maxWorkers: 3, groupOrder: 1, isolate: false },
  { name: "system", testTimeout: 90_000, maxWorkers: 3, groupOrder: 1, isolate: false },
  { name: "host", testTimeout: 90_000, maxWorkers: 3, groupOrder: 1, isolate: true },
  { name: "infra", testTimeout: 90_000, maxWorkers: 3, groupOrder: 1, isolate: false },
];

/** In CI each run leaves a report, which scripts/ci-count.mjs adds up. */
const report = ["json", { outputFile: `.local/test-report-${process.version}.json` }] as const;

export default defineConfig({
  test: {
    reporters: process.env["CI"] ? ["default", [...report]] : ["default"],
    projects: kinds.map(({ name, testTimeout, maxWorkers, groupOrder, isolate }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        setupFiles: ["test/seed.ts"],
        testTimeout,
        hookTimeout: 90_000,
        maxWorkers,
        isolate,
        sequence: { groupOrder },
        // It imports JSON in a way that bundlers take and Node does not.
        server: { deps: { inline: [/@actions\//] } },
      },
    })),
  },
});
