import { expect, it } from "vitest";
import { queueNames } from "../../../src/shared/store/queues.ts";
import { definition } from "../simulated.ts";
import { World, type Row } from "./world.ts";

/** Runs a job where these functions are switched off, after `before`. */
async function runWithout(
  functions: readonly string[],
  before: (world: World) => Promise<void> = () => Promise.resolve(),
): Promise<Row> {
  const environment = Object.fromEntries(functions.map((name) => [`AzureWebJobs.${name}.Disabled`, "true"]));
  // Each look waits for the timer; what is left on the queues needs no haste.
  const polling = { AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:10" };
  const world = await World.start({
    factor: 90,
    gate: {},
    environment: { ...environment, ...polling },
    timerLeaseSeconds: 60,
  });
  try {
    await before(world);
    await world.submit(definition("patient", { app: { seconds: 30 } }), "patient");
    const row = await world.until(
      "the end of the job",
      async () => (await world.rows()).find(({ groupDeleted }) => groupDeleted),
      3_600_000,
    );
    expect((await world.counters()).liveGroups).toBe(0);
    return row;
  } finally {
    await world.stop();
  }
}

const succeeded = { name: "patient", state: "Succeeded", exitCode: 0, attempt: 1 };

/** The model takes each wake-up away in turn (test/unit/model.test.ts); here it is the one that does most of the work. */
it("without the queue of looks a job still ends, by the timer alone", { timeout: 300_000 }, async () => {
  expect(await runWithout(["wake", "events"])).toMatchObject(succeeded);
});

it(
  "looks never stand behind posted jobs: a job ends though nothing on aci-jobs moves",
  { timeout: 300_000 },
  async () => {
    const post = async ({ storage }: World): Promise<void> => {
      const queue = storage.queues.getQueueClient(queueNames.jobs);
      await queue.createIfNotExists();
      await Promise.all(Array.from({ length: 100 }, (_, n) => queue.sendMessage(definition(`posted-${n}`))));
    };
    const row = await runWithout(["provisioner", "events"], post);
    expect(row).toMatchObject(succeeded);
  },
);
