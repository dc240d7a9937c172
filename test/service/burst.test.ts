import { expect, it } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import { deriveJobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { start } from "../kit/kit.ts";
import { countersOf, deliver, jobOf, messagesIn, openBench, useAzurite, yaml } from "./kit.ts";

useAzurite();

it("a burst of posted jobs, each delivered twice and reconciled by two instances at once: nobody hears twice", async () => {
  const bench = await openBench({ REPLY_QUEUES: "answers" });
  const { deps, storage, clock } = bench;
  await storage.queues.createQueue("answers");
  const instances = [deps, await bench.again()];
  const names = Array.from({ length: 12 }, (_, n) => `job-${n}`);
  const message = (name: string) => ({
    version: 1,
    definition: yaml(name),
    replyTo: { queue: "answers" },
    correlationId: name,
  });
  // Two that save one row at once may collide; the message then comes again.
  const settle = (work: Promise<void>[]) => Promise.allSettled(work);
  await settle(names.flatMap((name) => instances.map((each) => deliver(each, message(name), { id: name }))));
  for (const name of names) await deliver(deps, message(name), { id: name, dequeueCount: 2 });
  const ids = names.map((name) => deriveJobId(start, name));
  const isDone = async (): Promise<boolean> => {
    const jobs = await Promise.all(ids.map((id) => jobOf(deps, id)));
    return jobs.every(({ phase }) => hasEnded(phase) && phase.tidy);
  };
  for (let round = 0; round < 60 && !(await isDone()); round++) {
    clock.advance(5 * second);
    await settle(ids.flatMap((id) => instances.map((each) => reconcile(each, id, { at: undefined }))));
  }
  expect(await isDone()).toBe(true);
  const heard = (await messagesIn(storage, "answers")).map(
    (text) => (JSON.parse(text) as { data: { name: string } }).data.name,
  );
  expect(heard.toSorted()).toEqual(names.toSorted());
  expect(countersOf(bench).calls["put"]).toBe(12);
});
