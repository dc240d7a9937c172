import { expect, it } from "vitest";
import { childJobId, type JobId } from "../../src/shared/base/ids.ts";
import { second } from "../../src/shared/base/duration.ts";
import type { Job, Phase } from "../../src/shared/job/job.ts";
import { arrayPartition, countsRow } from "../../src/shared/store/job-row.ts";
import { job, jobId, start } from "../kit/kit.ts";
import { openBench, useAzurite } from "./kit.ts";

useAzurite();

const nothingSealed = { definition: undefined, callbacks: undefined };
const succeeded: Phase = {
  state: "Succeeded",
  verdict: { reason: "Completed" },
  finishedAt: start + 30 * second,
  group: "gone",
  captured: true,
  tidy: false,
};

function child(array: JobId, index: number): Job {
  return job({
    id: childJobId(array, start, index),
    createdAt: start + second,
    child: { array, arrayAt: start, index, size: 300 },
  });
}

it("children that end at the same time are all counted, each once", async () => {
  const { deps } = await openBench();
  const array = jobId();
  const children = Array.from({ length: 12 }, (_, index) => child(array, index));
  for (const each of children) await deps.jobs.insert(each, nothingSealed);
  const saved = await Promise.all(
    children.map(async ({ id }) => {
      const stored = (await deps.jobs.find(id)) ?? expect.fail("A child's id leads to its row.");
      return deps.jobs.save(stored, { ...stored.job, phase: succeeded });
    }),
  );
  expect(saved).not.toContain("conflict");
  const outcomes = await deps.jobs.outcomesOf({ id: array, createdAt: start });
  expect(outcomes.ends).toBe("S".repeat(12));
  expect(outcomes.counts.Succeeded).toBe(12);
});

it("a child's end that somebody else wrote first is not counted again", async () => {
  const { deps } = await openBench();
  const array = jobId();
  const { id } = child(array, 3);
  await deps.jobs.insert(child(array, 3), nothingSealed);
  const stored = (await deps.jobs.find(id)) ?? expect.fail("A child's id leads to its row.");
  const ended = { ...stored.job, phase: succeeded };
  const answers = await Promise.all([deps.jobs.save(stored, ended), deps.jobs.save(stored, ended)]);
  expect(answers.filter((answer) => answer === "conflict")).toHaveLength(1);
  expect((await deps.jobs.outcomesOf({ id: array, createdAt: start })).counts.Succeeded).toBe(1);
});

it("what a newer release added to an array's counts is kept", async () => {
  const { deps, storage } = await openBench();
  const array = jobId();
  const end = async (index: number): Promise<void> => {
    const { id } = child(array, index);
    await deps.jobs.insert(child(array, index), nothingSealed);
    const stored = (await deps.jobs.find(id)) ?? expect.fail("A child's id leads to its row.");
    await deps.jobs.save(stored, { ...stored.job, phase: succeeded });
  };
  await end(0);
  const counts = [arrayPartition(array, start), countsRow] as const;
  await storage.table("jobs").updateEntity({ partitionKey: counts[0], rowKey: counts[1], colour: "blue" }, "Merge");
  await end(1);
  expect(await storage.table("jobs").getEntity(...counts)).toMatchObject({ colour: "blue", ends: "SS" });
});

it("children stand in no list of a day", async () => {
  const { deps } = await openBench();
  const array = jobId();
  await deps.jobs.insert(job({ id: array }), nothingSealed);
  await deps.jobs.insert(child(array, 0), nothingSealed);
  const filter = { states: undefined, name: undefined, columns: {}, since: undefined, until: start + 60 * second };
  const { rows } = await deps.jobs.list(filter, 10, undefined);
  expect(rows.map(({ id }) => id)).toEqual([array]);
});
