import { expect, it } from "vitest";
import { definition } from "./points.ts";
import { World } from "./world.ts";

/** The model takes each wake-up away in turn (test/unit/model.test.ts); here it is the one that does most of the work. */
it("without the queue of looks a job still ends, by the timer alone", { timeout: 200_000 }, async () => {
  const environment = { "AzureWebJobs.wake.Disabled": "true", "AzureWebJobs.events.Disabled": "true" };
  const world = await World.start({ factor: 60, gate: {}, environment });
  try {
    await world.submit(definition("patient", 30), "patient");
    const row = await world.until(
      "the end of the job",
      async () => (await world.rows()).find(({ groupDeleted }) => groupDeleted),
      3_600_000,
    );
    expect(row).toMatchObject({ name: "patient", state: "Succeeded", exitCode: 0, attempt: 1 });
    expect((await world.counters()).liveGroups).toBe(0);
  } finally {
    await world.stop();
  }
});
