import { describe, expect, it, vi } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { Gate } from "../kit/proxy.ts";
import { countersOf, follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const replacing = async (bench: Bench, seconds = 3600): Promise<JobId> => {
  const { id } = await post(bench.deps, yaml("bellaciao", { seconds }), "onConflict=replace");
  bench.clock.advance(second);
  return id;
};

/** Reconciles all of them, in this order, until nothing changes any more but with time. */
async function settle(bench: Bench, ids: readonly JobId[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    for (const id of ids) await reconcile(bench.deps, id, { at: undefined });
    bench.clock.advance(10 * second);
  }
}

const ends = async (bench: Bench, ids: readonly JobId[]): Promise<unknown[]> =>
  Promise.all(
    ids.map(async (id) => {
      const { phase } = await jobOf(bench.deps, id);
      return hasEnded(phase) ? `${phase.state} ${phase.verdict.reason}` : phase.state;
    }),
  );

describe("onConflict=replace", () => {
  it("of twelve jobs at once lets the newest run, and no other, in whatever order they are reconciled", async () => {
    const bench = await openBench();
    const ids: JobId[] = [];
    for (let n = 0; n < 12; n++) ids.push(await replacing(bench, 10));
    const newest = ids.at(-1);
    if (newest === undefined) throw new Error("twelve jobs");
    const [a, b, c, ...rest] = ids;
    await settle(
      bench,
      [...rest, c, a, b].filter((id) => id !== undefined),
    );
    const job = await follow(bench, newest);
    expect(job.phase.state).toBe("Succeeded");
    expect(await ends(bench, ids)).toEqual([...Array<string>(11).fill("Canceled Replaced"), "Succeeded Completed"]);
    expect(countersOf(bench).calls["put"]).toBe(1);
    expect(await bench.deps.jobs.index.waiting("bellaciao", 20)).toEqual([]);
    expect(await bench.deps.jobs.index.lockOf(job.groupName)).toBeUndefined();
  });

  it("cancels the job that runs and those that wait for its name, whatever they asked for", async () => {
    const bench = await openBench();
    const runs = await post(bench.deps, yaml("bellaciao", { seconds: 3600 }));
    await follow(bench, runs.id, ({ phase }) => phase.state === "Running");
    const waits = await post(bench.deps, yaml("bellaciao"), "onConflict=wait");
    await reconcile(bench.deps, waits.id, { at: undefined });
    bench.clock.advance(second);
    const newest = await replacing(bench, 10);
    await settle(bench, [newest, waits.id, runs.id]);
    expect((await follow(bench, newest)).phase.state).toBe("Succeeded");
    expect(await ends(bench, [runs.id, waits.id])).toEqual(["Canceled Replaced", "Canceled Replaced"]);
  });

  it("leaves alone a newer job that waits, which asked for no more than its turn", async () => {
    const bench = await openBench();
    const older = await replacing(bench, 60);
    await follow(bench, older, ({ phase }) => phase.state === "Running");
    const newer = await post(bench.deps, yaml("bellaciao"), "onConflict=wait");
    bench.clock.advance(minute);
    expect((await follow(bench, older)).phase.state).toBe("Succeeded");
    expect((await follow(bench, newer.id)).phase.state).toBe("Succeeded");
  });

  it("that was reserved and never accepted replaces nothing", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const runs = await replacing(bench, 10);
    const waits = await replacing(bench, 10);
    gate.before = ({ method, url }) => (method === "POST" && url.pathname.endsWith("/jobs") ? "cut" : "pass");
    expect((await post(bench.deps, yaml("bellaciao"), "onConflict=replace")).status).toBe(503);
    delete gate.before;
    await settle(bench, [runs, waits]);
    expect((await follow(bench, waits)).phase.state).toBe("Succeeded");
  });

  it("of an older job whose turn comes late gives way to a newer one that has the name already", async () => {
    const bench = await openBench();
    const older = await replacing(bench);
    const newer = await replacing(bench, 10);
    await bench.deps.jobs.index.dequeue("bellaciao", older, (await jobOf(bench.deps, older)).createdAt);
    await reconcile(bench.deps, newer, { at: undefined });
    await settle(bench, [older]);
    expect(await ends(bench, [older])).toEqual(["Canceled Replaced"]);
    expect((await follow(bench, newer)).phase.state).toBe("Succeeded");
  });

  it("of a job that waits on with its name requeues no job that has ended and stands in the line still", async () => {
    const bench = await openBench();
    const { jobs, groups, queues } = bench.deps;
    const ended = await replacing(bench, 10);
    const { groupName, createdAt } = await follow(bench, ended);
    await jobs.index.enqueue(groupName, { id: ended, createdAt, turn: createdAt - minute, replaces: true });
    await groups.steer("g", { paused: true });
    const { id } = await post(bench.deps, yaml("bellaciao"), "onConflict=replace&group=g");
    const requeued = vi.spyOn(queues, "requeue");
    await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({ waiting: { reason: "GroupFull" } });
    expect(requeued.mock.calls.map(([job]) => job)).not.toContain(ended);
    expect(await jobs.index.waiting(groupName, 5)).toEqual([]);
  });
});
