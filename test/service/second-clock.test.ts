import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { enqueueingSweep } from "../../src/http/lib/second-clock.ts";
import { healthDetails } from "../../src/http/health.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { runningSweep } from "../../src/workers/second-clock.ts";
import { wake } from "../../src/workers/wake.ts";
import { ask, countedCalls, messagesIn, openBench, useAzurite } from "./kit.ts";

useAzurite();

const sweepMessage = JSON.stringify({ version: 1, sweep: true });

it("a call enqueues the sweep when no pass was completed for two minutes, and reads the heartbeat at most every 30 s", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock, storage } = bench;
  const handler = enqueueingSweep(deps, () => ({ status: 200 }));
  const call = () =>
    handler(new HttpRequest({ method: "GET", url: "http://localhost/api/health" }), new InvocationContext());
  await runPass(deps, "timer");
  clock.advance(minute);
  await call();
  expect(await messagesIn(storage)).toEqual([]);
  clock.advance(2 * minute);
  const before = bench.calls().length;
  for (let n = 0; n < 20; n++) await call();
  expect(await messagesIn(storage)).toEqual([sweepMessage]);
  expect(bench.calls().length - before).toBe(3); // one read, one message, one look of the test
});

it("a message runs the sweep when no pass was completed for two minutes, and health shows the timer separately", async () => {
  const { deps, clock } = await openBench();
  const details = healthDetails(deps);
  await runPass(deps, "timer");
  expect((await ask(details, {})).body).toMatchObject({ timer: { ok: true } });
  clock.advance(6 * minute);
  expect(await ask(details, {})).toMatchObject({ status: 503, body: { status: "late", timer: { ok: false } } });
  await runningSweep<unknown>(deps, wake(deps))("nothing", new InvocationContext());
  const { status, body } = await ask(details, {});
  expect({ status, body }).toMatchObject({ status: 200, body: { status: "ok", timer: { ok: false } } });
  expect(body).toMatchObject({ sweep: { "due jobs": { by: "queue" }, "waiting jobs": { by: "queue" } } });
});

it("a part whose holder died is taken over when its lease has run out, and not before", async () => {
  const { deps } = await openBench();
  const now = deps.now();
  const plan = { every: hour, lease: minute, by: "timer" };
  expect(await deps.periodicRuns.acquirePeriodic("orphans", undefined, plan, now)).toBeDefined();
  const begun = async () => (await deps.periodicRuns.all()).get("orphans");
  expect(
    await deps.periodicRuns.acquirePeriodic("orphans", await begun(), { ...plan, every: 0 }, now + 30 * second),
  ).toBeUndefined();
  const taken = await deps.periodicRuns.acquirePeriodic(
    "orphans",
    await begun(),
    { ...plan, every: 0 },
    now + 61 * second,
  );
  expect(taken).toBeDefined();
  if (taken) await deps.periodicRuns.end(taken, { kind: "unfinished", cursor: "here" }, now + 62 * second);
  // What is unfinished goes on at once, where it stopped.
  expect(await begun()).toMatchObject({ unfinished: true, cursor: "here" });
  expect(await deps.periodicRuns.acquirePeriodic("orphans", await begun(), plan, now + 63 * second)).toBeDefined();
});
