import { expect, it } from "vitest";
import { minute } from "../../src/shared/base/duration.ts";
import { groupName, mintJobId } from "../../src/shared/base/ids.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { start } from "../kit/kit.ts";
import { deliver, follow, indexOf, jobOf, openBench, post, useAzurite, yaml } from "./kit.ts";
import { deriveJobId } from "../../src/shared/base/ids.ts";

useAzurite();

const named = (keys: readonly string[]): readonly string[] => keys.filter((key) => /^(hold|wait)_/.test(key));

it("a name that a job has after its end goes to the next, and its place in a line goes; who may need them keeps them", async () => {
  const bench = await openBench();
  const { deps, clock, storage } = bench;
  const { index } = deps.jobs;
  const { id } = await post(deps, yaml("ended"));
  await follow(bench, id);
  await post(deps, yaml("running", { seconds: 36_000 }));
  await deliver(deps, yaml("running"), { id: "waiting" });
  // As a host leaves it that dies while it moves a job that ends meanwhile.
  await index.take(groupName("free"), id, start);
  await index.enqueue("running", { id, createdAt: start, turn: start - minute });
  // A reservation whose row is on its way.
  const reserved = mintJobId(start, new Uint8Array(10));
  const entry = { partitionKey: "jobs", groupName: "reserved", createdAt: new Date(clock.now()) };
  await storage
    .table("jobindex")
    .createEntity({ ...entry, rowKey: `job_${reserved}`, checkAt: new Date(start + 60 * minute) });
  await index.take(groupName("reserved"), reserved, start);
  const kept = named(await indexOf(bench)).filter((key) => key !== "hold_free" && !key.endsWith(id));
  await runPass(deps, "timer");
  expect(named(await indexOf(bench))).toEqual(kept);
  expect(kept).toHaveLength(3);

  // The job that waits for a name that one has which ended gets it.
  const waiting = deriveJobId(start, "waiting");
  await index.enqueue("freed", { id: waiting, createdAt: start, turn: start });
  await index.take(groupName("freed"), id, start);
  clock.advance(11 * minute);
  await runPass(deps, "timer");
  expect((await index.lockOf(groupName("freed")))?.lockedBy).toBe(waiting);
  expect((await jobOf(deps, waiting)).phase.state).toBe("Queued");
});
