/** The record of an array, as it runs and once it has ended. */
import { expect, it } from "vitest";
import { z } from "zod";
import { job as record } from "../../src/http/jobs/record.ts";
import { followAll, postArray } from "./arrays-kit.ts";
import { ask, jobOf, openBench, useAzurite, yaml } from "./kit.ts";

useAzurite();

const shape = z.looseObject({ array: z.looseObject({ ends: z.string() }), resultsUrl: z.string() });

it("says by a letter what became of each index, as counted now", async () => {
  const bench = await openBench();
  const text = yaml("nightly", { exitCode: 3, seconds: 30 });
  const id = await postArray(bench, { size: 5, parallelism: 2, text, only: [[0, 3]], failFast: true });
  const arrayNow = async (): Promise<z.infer<typeof shape>["array"]> =>
    shape.parse((await ask(record(bench.deps), { params: { id } })).body).array;
  expect(await arrayNow()).toMatchObject({ ends: "....-", size: 5, runs: 4, active: 0, parallelism: 2 });
  const hasMade = async (): Promise<boolean> => ((await jobOf(bench.deps, id)).array?.made ?? 0) > 0;
  await followAll(bench, hasMade);
  expect(await arrayNow()).toMatchObject({ ends: "AA..-", active: 2, failures: [] });
  await followAll(bench);
  const ended = await arrayNow();
  expect(ended).toMatchObject({ active: 0, runs: 4 });
  expect(ended.ends).toMatch(/^(?:F[FC]|CF)\.\.-$/);
  expect(ended["failures"]).toHaveLength(2);
});
