import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { sizeOf } from "./test/kit/size.ts";

/**
 * Kinds of test, by folder: so that a wrong decision is told before a process is started. Unit tests compute, and two files at a
 * time keep two cores busy; the others start servers and compilers, and wait besides. Files of a kind share what a worker has loaded,
 * since to load the SDKs for each anew takes longer than the tests; not those of the host, which keeps the app that it loaded in
 * globals.
 */
const kinds = [
  { name: "unit", folders: ["unit"], testTimeout: 10_000, maxWorkers: 2, groupOrder: 0, isolate: false },
  {
    name: "parts",
    folders: ["service", "system", "infra"],
    testTimeout: 90_000,
    maxWorkers: 5,
    groupOrder: 1,
    isolate: false,
  },
  { name: "host", folders: ["host"], testTimeout: 90_000, maxWorkers: 5, groupOrder: 1, isolate: true },
];

/**
 * Long trials that `npm test` leaves to the long form (see test/kit/size.ts). Who changes what they try runs them by name:
 * `npx vitest run test/system/recovery/crash.test.ts`.
 */
const longAlone = ["system/recovery/{arrays,crash,groups}", "host/life-facts", "service/{log-trials,page-cost}"];
const isShort = process.env["npm_lifecycle_event"] === "test" && sizeOf(true, false);

/**
 * They take twenty seconds and more where five run at once: begun last, they would be waited for alone. Those that wait most of their time
 * alternate with those that compute: side by side, they would leave the cores idle.
 */
const longest = [
  "/unit/model.test.ts",
  "/unit/flood.test.ts",
  "/system/jobs/jobs.test.ts",
  "/infra/estate.test.ts",
  "/infra/adf/pipelines.test.ts",
  "/service/lifecycle.test.ts",
  "/system/docs/examples.test.ts",
  "/service/alerts.test.ts",
  "/system/jobs/options.test.ts",
  "/service/job-cost.test.ts",
  "/service/captured-logs.test.ts",
  "/infra/templates.test.ts",
  "/service/page-cost.test.ts",
  "/service/index-lost.test.ts",
  "/system/recovery/chaos.test.ts",
  "/service/resent.test.ts",
  "/host/life-facts.test.ts",
  "/service/log-trials.test.ts",
  "/service/job-events.test.ts",
  "/service/packing.test.ts",
  "/system/recovery/soak.test.ts",
  "/service/recovery.test.ts",
  "/system/views/views.test.ts",
  "/service/security/entry-points.test.ts",
  "/system/client/client.test.ts",
  "/service/packs.test.ts",
  "/system/client/both-clients.test.ts",
  "/service/dead-acceptor.test.ts",
  "/service/verify-azure.test.ts",
  "/service/arrays.test.ts",
  "/system/recovery/crash.test.ts",
  "/infra/azd.test.ts",
  "/system/stack/built.test.ts",
  "/service/groups.test.ts",
  "/system/incidents/incidents.test.ts",
  "/service/accept.test.ts",
  "/system/recovery/arrays.test.ts",
  "/system/page/page.test.ts",
  "/system/client/groups.test.ts",
  "/infra/parameters.test.ts",
  "/system/recovery/triggers.test.ts",
  "/system/recovery/groups.test.ts",
  "/system/stack/demo-engines.test.ts",
  "/system/page/operated.test.ts",
  "/service/aci/podman.test.ts",
  "/system/client/template.test.ts",
];

/** As vitest orders them, but the longest before all. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(name));
      return at === -1 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** In CI each run leaves a report, which scripts/ci-count.mjs adds up. */
const report = ["json", { outputFile: `.local/test-report-${process.version}.json` }] as const;

export default defineConfig({
  test: {
    reporters: process.env["CI"] ? ["default", [...report]] : ["default"],
    sequence: { sequencer: LongestFirst },
    projects: kinds.map(({ name, folders, testTimeout, maxWorkers, groupOrder, isolate }) => ({
      test: {
        name,
        include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
        exclude: isShort ? longAlone.map((file) => `test/${file}.test.ts`) : [],
        setupFiles: ["test/kit/seed.ts", ...(name === "parts" ? ["test/kit/describes.ts"] : [])],
        testTimeout,
        hookTimeout: 90_000,
        maxWorkers,
        isolate,
        sequence: { groupOrder },
        // A test with processes may lose a race with whatever else CI's machine does. Its report marks each second try.
        retry: process.env["CI"] && name !== "unit" ? 1 : 0,
        // It imports JSON in a way that bundlers take and Node does not.
        server: { deps: { inline: [/@actions\//] } },
      },
    })),
  },
});
