import { expect, it } from "vitest";
import { day } from "../../src/shared/base/duration.ts";
import { jobKey, toRow } from "../../src/shared/store/job-row.ts";
import { sweepRetention } from "../../src/workers/sweep/retention.ts";
import { ended, jobId, place, start } from "../kit/kit.ts";
import { openBench, useAzurite } from "./kit.ts";

useAzurite();

it("a row goes after its time, but not while its group may exist", async () => {
  const { deps, storage, clock } = await openBench();
  const [gone, there] = [jobId(1), jobId(2)];
  for (const [id, group] of [
    [gone, "gone"],
    [there, "present"],
  ] as const) {
    const row = toRow(
      ended({ group, tidy: group === "gone" }, { id }),
      jobKey(id, start),
      { definition: undefined, callbacks: undefined },
      deps.jobs.prices,
    );
    await storage.table("jobs").createEntity(row);
  }
  clock.advance(deps.settings.rowRetention + day);
  await sweepRetention(deps);
  expect(await deps.jobs.find(gone)).toBeUndefined();
  expect((await deps.jobs.find(there))?.job.id).toBe(there);
});

it("a target once used is swept even when it has left the settings", async () => {
  const { deps } = await openBench();
  const { subscriptionId } = place;
  await deps.control.targets([{ subscriptionId, resourceGroup: "rg-before", location: undefined }]);
  const now = await deps.control.targets([{ subscriptionId, resourceGroup: "rg-now", location: undefined }]);
  expect(now.map(({ resourceGroup }) => resourceGroup)).toEqual(["rg-before", "rg-now"]);
});
