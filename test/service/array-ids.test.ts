/** An id that only an array may give is refused, so that nobody stands in the way of an array's child. */
import { expect, it } from "vitest";
import { childJobId } from "../../src/shared/base/ids.ts";
import { jobId, start } from "../kit/kit.ts";
import { deliver, messagesIn, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

const id = childJobId(jobId(), start, 3);
const envelope = { version: 1, id, definition: yaml("a") };

it("by HTTP an id of an array's child is a 400 that says so", async () => {
  const bench = await openBench();
  const { status, body } = await post(bench.deps, JSON.stringify(envelope));
  expect([status, body.message]).toEqual([
    400,
    "The envelope is wrong at id: arrays give such ids to their jobs. Give a random UUID.",
  ]);
});

it("a message with an id of an array's child ends as a Failed row under another id", async () => {
  const bench = await openBench();
  const { deps, storage } = bench;
  for (const message of [envelope, { ...envelope, options: 5 }])
    await deliver(deps, message, { id: JSON.stringify(message) });
  expect(await deps.jobs.find(id)).toBeUndefined();
  const states: unknown[] = [];
  for await (const { state, reason } of storage.table("jobs").listEntities()) states.push([state, reason]);
  expect(states).toEqual([
    ["Failed", "InvalidMessage"],
    ["Failed", "InvalidMessage"],
  ]);
  expect(await messagesIn(storage, "aci-jobs-poison")).toEqual([]);
});

it("a cancel names a child by its id", async () => {
  const bench = await openBench();
  await deliver(bench.deps, { version: 1, op: "cancel", id });
  expect(await bench.deps.jobs.index.hasCancel(id)).toBe(true);
});
