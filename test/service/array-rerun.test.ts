/** An array is run again as far as it did not succeed: by call, in bulk, and by its idempotency key. */
import { expect, it } from "vitest";
import { rerun } from "../../src/http/operate/rerun.ts";
import { rerunMany } from "../../src/http/operate/rerun-many.ts";
import { childJobId, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { second } from "../../src/shared/base/duration.ts";
import { parseSealedArray } from "../../src/shared/security/sealed-definition.ts";
import type { TerminalState } from "../../src/shared/job/job.ts";
import { childOf, endedAs, insertEnded } from "./array-rows-kit.ts";
import { ask, jobOf, openBench, post, useAzurite, yaml, type Bench, type Reply } from "./kit.ts";

useAzurite();

const text = yaml("nightly", { output: "${item}" });
const query = 'array=["a","b","c","d","e","f"]&minSuccess=5';

/** It ended with its indexes 0 and 3 succeeded, 1, 2 and 5 failed, and 4 never made. */
async function endedArray(bench: Bench, state: TerminalState = "Failed", headers = {}): Promise<JobId> {
  const { deps, clock } = bench;
  const { id } = await post(deps, text, query, headers);
  const array = await jobOf(deps, id);
  for (const index of [0, 1, 2, 3, 5])
    await insertEnded(deps, childOf(array, index), index % 3 === 0 ? "Succeeded" : "Failed");
  const { counts, failures } = await deps.jobs.outcomesOf(array);
  const { phase } = endedAs(array, state);
  const counted = array.array && { ...array.array, made: 6, counts, failures: [...failures] };
  await deps.jobs.change(id, (job) => ({ job: { ...job, phase, array: counted } }));
  clock.advance(second);
  return id;
}

const rerunOf = ({ deps }: Bench, id: JobId): Promise<Reply> => ask(rerun(deps), { params: { id }, text: "" });

it("a rerun runs what did not succeed, with the same items, and once", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const id = await endedArray(bench);
  const first = await rerunOf(bench, id);
  expect([first.status, first.body["rerunOf"]]).toEqual([200, id]);
  const { array } = await jobOf(deps, first.id);
  expect(array).toMatchObject({
    size: 6,
    only: [
      [1, 2],
      [4, 5],
    ],
    minSuccess: 3,
    made: 0,
  });
  const sealed = (await deps.jobs.find(first.id))?.sealed.definition;
  const opened = sealed instanceof Uint8Array ? await deps.sealer.open(sealed, first.id) : undefined;
  const items = opened?.kind === "open" ? parseSealedArray(opened.text)?.items : undefined;
  expect(items).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect((await rerunOf(bench, id)).id).toBe(first.id);
});

it("a child alone, an array that goes on, and one of which all succeeded are a 409", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const id = await endedArray(bench);
  const { createdAt } = await jobOf(deps, id);
  const child = await rerunOf(bench, childJobId(id, createdAt, 1));
  expect([child.status, child.body["code"], child.body.id]).toEqual([409, "CannotRerun", id]);
  expect(child.body.message).toContain(`POST /api/jobs/${id}/rerun`);
  const whole = await post(deps, yaml("whole"), "array=2");
  expect(await rerunOf(bench, whole.id)).toMatchObject({ status: 409, body: { code: "CannotRerun" } });
  const array = await jobOf(deps, whole.id);
  for (const index of [0, 1]) await insertEnded(deps, childOf(array, index), "Succeeded");
  await deps.jobs.change(whole.id, (job) => ({ job: { ...job, phase: endedAs(job, "Succeeded").phase } }));
  const { body } = await rerunOf(bench, whole.id);
  expect(body.message).toBe("Every index of the array succeeded: nothing is left to run.");
});

it("in bulk an array alone is meant by its id, also where enough of it succeeded", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const id = await endedArray(bench, "Succeeded");
  const bulk = (body: object): Promise<Reply> => ask(rerunMany(deps), { text: JSON.stringify(body) });
  expect((await bulk({ name: "nightly" })).body).toMatchObject({ matched: 0 });
  expect((await bulk({ array: id, state: "TimedOut" })).body).toMatchObject({ matched: 0 });
  const { body } = await bulk({ array: id });
  expect(body).toMatchObject({ matched: 1, rerun: 1 });
  const [again] = body["ids"] as string[]; // the API's description says so
  const made = await jobOf(deps, parseJobId(again ?? "") ?? id);
  expect([made.rerunOf, made.array?.only]).toEqual([
    id,
    [
      [1, 2],
      [4, 5],
    ],
  ]);
});

it("in bulk an array of which every index succeeded is not meant, by a dry run neither", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const { id } = await post(deps, yaml("whole"), "array=2");
  const array = await jobOf(deps, id);
  for (const index of [0, 1]) await insertEnded(deps, childOf(array, index), "Succeeded");
  await deps.jobs.change(id, (job) => ({ job: { ...job, phase: endedAs(job, "Succeeded").phase } }));
  bench.clock.advance(second);
  for (const dryRun of [true, false])
    expect((await ask(rerunMany(deps), { text: JSON.stringify({ array: id, dryRun }) })).body).toMatchObject({
      matched: 0,
      refused: 0,
    });
});

it("a rerun is judged by today's policy, for each of its items that run and no others", async () => {
  const bench = await openBench();
  const image = yaml("nightly").replace("app:1", "${item}:1");
  const { id } = await post(bench.deps, image, 'array=["app","app","old"]');
  const array = await jobOf(bench.deps, id);
  for (const index of [0, 1]) await insertEnded(bench.deps, childOf(array, index), "Failed");
  await bench.deps.jobs.change(id, (job) => ({ job: { ...job, phase: endedAs(job, "Failed").phase } }));
  const strict = await bench.again({ POLICY_IMAGES: "registry.example/team/app" });
  const refused = await ask(rerun(strict), { params: { id }, text: "" });
  expect(refused).toMatchObject({ status: 400, body: { code: "PolicyRefused" } });
  await insertEnded(bench.deps, childOf(array, 2), "Succeeded");
  expect((await ask(rerun(strict), { params: { id }, text: "" })).status).toBe(200);
});

it("a repeat with the key of a failed array runs what failed of it", async () => {
  const bench = await openBench();
  const headers = { "idempotency-key": "night-1" };
  const id = await endedArray(bench, "Failed", headers);
  const again = await post(bench.deps, text, `${query}&onConflict=wait`, headers);
  expect([again.status, again.id === id, again.body["rerunOf"]]).toEqual([200, false, id]);
  const { array, rerunOf: from } = await jobOf(bench.deps, again.id);
  expect([from, array?.only, array?.minSuccess]).toEqual([
    id,
    [
      [1, 2],
      [4, 5],
    ],
    3,
  ]);
});
