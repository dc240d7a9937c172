import { describe, expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { setPriority } from "../../src/http/operate/priority.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { ask, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

/** Lines of teams for creates, while the setting TEAMS changes under the jobs that wait in them. */
useAzurite();

const few = { ACI_CREATES_PER_5_MINUTES: "1" };
const teams = (...names: readonly string[]): Record<string, string> => ({
  TEAMS: names.length === 0 ? "" : JSON.stringify(Object.fromEntries(names.map((name) => [name, {}]))),
});

/** Jobs of these teams: the first has a create, the others wait for one. */
async function waiting(bench: Bench, deps: Deps, ...of: readonly string[]): Promise<readonly JobId[]> {
  const ids: JobId[] = [];
  for (const [n, team] of of.entries()) {
    const { id, status, body } = await post(deps, yaml(`${team}-${n}`, { seconds: 1 }), `team=${team}`);
    expect(status, body.message).toBe(200);
    bench.clock.advance(second);
    await reconcile(deps, id, { at: undefined });
    ids.push(id);
  }
  for (const id of ids.slice(1))
    expect(await jobOf(deps, id)).toMatchObject({ phase: { state: "Queued", waiting: { reason: "CreateLimit" } } });
  return ids;
}

/** Passes of the sweep, and a look at each job whose message says so, until all have ended. */
async function end({ clock }: Bench, deps: Deps, ids: readonly JobId[]): Promise<void> {
  for (let passes = 0; passes < 200; passes++) {
    clock.advance(2 * minute);
    await runPass(deps, "timer");
    let left = 0;
    for (const id of ids) {
      const { phase, lookAt } = await jobOf(deps, id);
      if (hasEnded(phase)) continue;
      left++;
      if (lookAt <= clock.now()) await reconcile(deps, id, { at: undefined });
    }
    if (left === 0) return;
  }
  expect.fail("Jobs wait forever.");
}

describe("jobs that wait for a create all begin", () => {
  it.each<[string, Record<string, string>, readonly string[], Record<string, string>]>([
    ["TEAMS is set", teams(), ["a", "b", "c"], teams("a", "b")],
    ["TEAMS is given up", teams("a", "b"), ["a", "b", "a"], teams()],
    ["their team is removed", teams("a", "b"), ["a", "b", "b"], teams("a")],
  ])("after %s", async (_what, before, of, after) => {
    const bench = await openBench({ ...few, ...before });
    const ids = await waiting(bench, bench.deps, ...of);
    const deps = await bench.again(after);
    await end(bench, deps, ids);
    for (const id of ids) expect((await jobOf(deps, id)).phase.state).toBe("Succeeded");
    expect(await deps.jobs.index.anyWaits("~")).toBe(false);
  });
});

it("a job's place among its team's follows the largest and the smallest priority", async () => {
  const bench = await openBench({ ...few, ...teams("a", "b") });
  const [, first, later, other] = await waiting(bench, bench.deps, "a", "a", "a", "b");
  if (first === undefined || later === undefined || other === undefined) expect.fail("no jobs");
  const places = async () => {
    bench.clock.advance(16 * second);
    const replies = await Promise.all([first, later, other].map((id) => get(bench.deps, id)));
    return replies.map(({ body }) => body["queue"]);
  };
  expect(await places()).toMatchObject([
    { position: 2, of: 3 },
    { position: 3, of: 3 },
    { position: 1, of: 3 },
  ]);
  for (const priority of [86_400, -86_400, 86_400])
    expect(
      (await ask(setPriority(bench.deps), { params: { id: later }, text: JSON.stringify({ priority }) })).status,
    ).toBe(200);
  expect(await places()).toMatchObject([
    { position: 3, of: 3 },
    { position: 2, of: 3 },
    { position: 1, of: 3 },
  ]);
  await end(bench, bench.deps, [first, later, other]);
  expect(await bench.deps.jobs.index.anyWaits("~")).toBe(false);
});
