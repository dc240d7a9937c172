import { expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { listGroups } from "../../src/http/operate/groups.ts";
import { reindex } from "../../src/http/operate/reindex.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { groupsIn, reconcileEach } from "./groups-kit.ts";
import {
  countedCalls,
  ask,
  del,
  follow,
  get,
  groupsOf,
  indexOf,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

const teams = (limits: Readonly<Record<string, number>>): Record<string, string> => ({
  TEAMS: JSON.stringify({
    b: {},
    ...Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, { limit }])),
  }),
});

async function submit(bench: Bench, name: string, query: string, seconds = 60): Promise<JobId> {
  const reply = await post(bench.deps, yaml(name, { seconds }), query);
  expect(reply.status, reply.body.message).toBe(200);
  bench.clock.advance(second);
  return reply.id;
}

it("as many jobs of a team hold a container group as its limit allows; the next waits, and another team's goes on", async () => {
  const bench = await openBench(teams({ a: 2 }), countedCalls);
  const before = bench.calls().length;
  const [one] = [await submit(bench, "one", "team=a")];
  const accepted = bench.calls().length - before;
  const [two, three, other] = [
    await submit(bench, "two", "team=a"),
    await submit(bench, "three", "team=a"),
    await submit(bench, "other", "team=b"),
  ];
  // Installation and index are read once.
  expect(accepted).toBeLessThanOrEqual(6);
  await reconcileEach(bench, one, two, three, other);
  expect(
    groupsOf(bench)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["one", "other", "two"]);
  expect(await get(bench.deps, three)).toMatchObject({
    status: 202,
    body: { reason: "TeamFull", waiting: { detail: "Team a: 2 slots are held, and its limit is 2.", position: 1 } },
  });
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 2, slots: [one, two], line: [three] } });
  expect((await ask(listGroups(bench.deps), {})).body["groups"]).toEqual([]);
  await follow(bench, one);
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 2, slots: [two, three], line: [] } });
  for (const id of [two, three, other]) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 0, slots: [], line: [] } });
});

it("of jobs with a group and a team that two instances admit at once no more hold slots than either allows", async () => {
  const bench = await openBench(teams({ a: 3 }));
  const other = await bench.again(teams({ a: 3 }));
  const ids: JobId[] = [];
  for (let n = 0; n < 5; n++)
    for (const group of ["g", "h"])
      ids.push(await submit(bench, `job-${group}-${n}`, `team=a&group=${group}&groupLimit=2`, 5));
  const check = async (): Promise<void> => {
    const { g, h, "~a": team } = await groupsIn(bench);
    for (const [slots, limit] of [
      [g, 2],
      [h, 2],
      [team, 3],
    ] as const) {
      expect(slots?.slots.length ?? 0).toBeLessThanOrEqual(limit);
      expect(slots?.held ?? 0).toBe(slots?.slots.length ?? 0);
    }
    expect(groupsOf(bench).length).toBeLessThanOrEqual(3);
  };
  let left: readonly JobId[] = ids;
  for (let rounds = 0; rounds < 100 && left.length > 0; rounds++) {
    await Promise.all(left.map((id, n) => reconcile(n % 2 === 0 ? bench.deps : other, id, { at: undefined })));
    await check();
    bench.clock.advance(10 * second);
    const jobs = await Promise.all(left.map((id) => jobOf(bench.deps, id)));
    left = jobs.filter(({ phase }) => !hasEnded(phase) || !phase.tidy).map(({ id }) => id);
  }
  expect(left).toEqual([]);
  expect(await groupsIn(bench)).toMatchObject({
    g: { held: 0 },
    h: { held: 0 },
    "~a": { held: 0, slots: [], line: [] },
  });
});

it("a job that waits and is canceled is passed over", async () => {
  const bench = await openBench(teams({ a: 1 }));
  const [runs, leaves, next] = [
    await submit(bench, "runs", "team=a"),
    await submit(bench, "leaves", "team=a"),
    await submit(bench, "next", "team=a"),
  ];
  await reconcileEach(bench, runs, leaves, next);
  await del(bench.deps, leaves);
  await reconcileEach(bench, leaves);
  await follow(bench, runs);
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 1, slots: [next], line: [] } });
});

it("a job whose team is full gives its group's slot to others after five minutes", async () => {
  const bench = await openBench(teams({ a: 1 }));
  const runs = await submit(bench, "runs", "team=a", 3600);
  const both = await submit(bench, "both", "team=a&group=g&groupLimit=1");
  const other = await submit(bench, "other", "team=b&group=g&groupLimit=1");
  await reconcileEach(bench, runs, both, other);
  expect(await groupsIn(bench)).toMatchObject({
    "~a": { slots: [runs], line: [both] },
    g: { slots: [both], line: [other] },
  });
  bench.clock.advance(5 * minute);
  await reconcileEach(bench, both);
  expect(await groupsIn(bench)).toMatchObject({
    "~a": { slots: [runs], line: [] },
    g: { slots: [other], line: [both] },
  });
  await del(bench.deps, runs);
  for (const id of [runs, other, both]) await follow(bench, id);
  expect((await jobOf(bench.deps, both)).phase.state).toBe("Succeeded");
  expect(await groupsIn(bench)).toMatchObject({ "~a": { held: 0, slots: [], line: [] }, g: { held: 0 } });
});

it("a rebuilt index has the slots of groups and teams, also of a job that would not wait for its group", async () => {
  const bench = await openBench(teams({ a: 1 }));
  const query = "group=g&groupLimit=2&onGroupFull=reject";
  const [runs, waits] = [
    await submit(bench, "runs", `team=a&${query}`),
    await submit(bench, "waits", `team=a&${query}`),
  ];
  await reconcileEach(bench, runs, waits);
  const refused = await post(bench.deps, yaml("refused"), `team=b&${query}`);
  expect(refused).toMatchObject({ status: 409, body: { code: "GroupFull", held: 2, limit: 2, waiting: 0 } });
  const before = await groupsIn(bench);
  expect(before).toEqual({
    g: { held: 2, slots: [runs, waits], line: [] },
    "~a": { held: 1, slots: [runs], line: [waits] },
  });
  for (const key of await indexOf(bench)) await bench.storage.table("jobindex").deleteEntity("jobs", key);
  expect((await ask(reindex(bench.deps), { text: "" })).status).toBe(200);
  expect(await groupsIn(bench)).toEqual(before);
  for (const id of [runs, waits]) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  expect(await groupsIn(bench)).toMatchObject({ "~a": { held: 0, slots: [], line: [] }, g: { held: 0, slots: [] } });
});

it("a job that waited for its team for more than five minutes keeps the slot that it is given", async () => {
  const bench = await openBench(teams({ a: 1 }));
  const runs = await submit(bench, "runs", "team=a", 3600);
  const [first, second_] = [await submit(bench, "first", "team=a", 600), await submit(bench, "second", "team=a", 600)];
  await reconcileEach(bench, runs, first, second_);
  bench.clock.advance(6 * minute);
  await del(bench.deps, runs);
  await follow(bench, runs);
  await follow(bench, first, ({ phase }) => phase.state === "Running");
  await reconcileEach(bench, second_);
  expect((await jobOf(bench.deps, second_)).phase.state).toBe("Queued");
  expect((await groupsIn(bench))["~a"]).toEqual({ held: 1, slots: [first], line: [second_] });
});

it("a slot stays with a job between attempts, and not while its stopped group is kept", async () => {
  const bench = await openBench(teams({ a: 1 }));
  const { id: again } = await post(bench.deps, yaml("again", { exitCode: 1 }), "team=a&retries=1&keep=always");
  await reconcileEach(bench, again);
  const waits = await submit(bench, "waits", "team=a");
  await follow(bench, again, ({ phase, attempt }) => attempt === 2 && phase.state === "Queued");
  await reconcileEach(bench, waits);
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 1, slots: [again], line: [waits] } });
  await follow(bench, again, ({ phase, slotLeft }) => hasEnded(phase) && slotLeft === true);
  expect(await groupsIn(bench)).toEqual({ "~a": { held: 1, slots: [waits], line: [] } });
});

it("a limit that is set or changed holds within a pass of the sweep, for whoever runs or waits already", async () => {
  const bench = await openBench(teams({}));
  const [one, two] = [await submit(bench, "one", "team=b"), await submit(bench, "two", "team=b")];
  await reconcileEach(bench, one, two);
  const limited = await bench.again(teams({ b: 2 }));
  bench.clock.advance(minute);
  await runPass(limited, "timer");
  expect(await groupsIn(bench)).toEqual({ "~b": { held: 2, slots: [one, two], line: [] } });
  const three = await submit({ ...bench, deps: limited }, "three", "team=b");
  await reconcileEach({ ...bench, deps: limited }, three);
  expect(await jobOf(bench.deps, three)).toMatchObject({ phase: { waiting: { reason: "TeamFull" } } });
  const raised = await bench.again(teams({ b: 3 }));
  bench.clock.advance(minute);
  await runPass(raised, "timer");
  expect(await groupsIn(bench)).toEqual({ "~b": { held: 3, slots: [one, two, three], line: [] } });
  const lifted = await bench.again({ TEAMS: "" });
  for (const id of [one, two, three])
    expect((await follow({ ...bench, deps: lifted }, id)).phase.state).toBe("Succeeded");
  for (let passes = 0; passes < 2; passes++) {
    bench.clock.advance(minute);
    await runPass(lifted, "timer");
  }
  expect(await groupsIn(bench)).toEqual({});
});

it("a team's vCPU seconds of a day are charged as an attempt starts, by what it is expected to take, and corrected at its end", async () => {
  const bench = await openBench({ TEAMS: JSON.stringify({ a: { vcpuSecondsPerDay: 1000 }, b: {} }) });
  const first = await submit(bench, "first", "team=a&runTimeout=1200", 10);
  await follow(bench, first, ({ phase }) => phase.state === "Running");
  const [waits, other] = [await submit(bench, "waits", "team=a"), await submit(bench, "other", "team=b")];
  await reconcileEach(bench, waits, other);
  expect(await get(bench.deps, waits)).toMatchObject({
    body: { reason: "Budget", waiting: { detail: "The team a has used up its vCPU seconds of the day." } },
  });
  expect((await jobOf(bench.deps, waits)).lookAt).toBeLessThanOrEqual(bench.clock.now() + 5 * minute);
  expect((await follow(bench, other)).phase.state).toBe("Succeeded");
  await follow(bench, first);
  await reconcileEach(bench, waits);
  expect((await follow(bench, waits)).phase.state).toBe("Succeeded");
});
