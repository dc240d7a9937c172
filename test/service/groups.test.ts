import { expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { deriveJobId, type JobId } from "../../src/shared/base/ids.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { admit } from "../../src/workers/reconcile/admit.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { start } from "../kit/kit.ts";
import { groupsIn, reconcileEach } from "./groups-kit.ts";
import {
  countedCalls,
  del,
  deliver,
  follow,
  get,
  groupsOf,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

async function submit(bench: Bench, name: string, query: string): Promise<JobId> {
  const reply = await post(bench.deps, yaml(name), query);
  expect(reply.status, reply.body.message).toBe(200);
  // Jobs of one moment would stand in the order of their ids.
  bench.clock.advance(1);
  return reply.id;
}

const reasonOf = async (bench: Bench, id: JobId): Promise<unknown> => {
  const { body } = await get(bench.deps, id);
  return body["reason"];
};

it("a job takes a slot when it is admitted, and gives it to the one that waits longest", async () => {
  const bench = await openBench();
  const jobs: JobId[] = [];
  for (const name of ["one", "two", "three", "four"]) {
    jobs.push(await submit(bench, name, "group=Ware/House_1&groupLimit=2"));
    bench.clock.advance(second);
  }
  const [one, two, three, four] = jobs;
  if (one === undefined || four === undefined) throw new Error("no jobs");
  await reconcileEach(bench, ...jobs);
  expect(await groupsIn(bench)).toEqual({
    "ware/house_1": { held: 2, slots: [one, two], line: [three, four] },
  });
  expect(await get(bench.deps, four)).toMatchObject({
    status: 202,
    body: { reason: "GroupFull", waiting: { detail: "Group ware/house_1: 2 slots are held, and its limit is 2." } },
  });
  await follow(bench, one);
  expect(await groupsIn(bench)).toEqual({ "ware/house_1": { held: 2, slots: [two, three], line: [four] } });
  for (const id of jobs) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  expect(await groupsIn(bench)).toEqual({ "ware/house_1": { held: 0, slots: [], line: [] } });
  bench.clock.advance(minute);
  await runPass(bench.deps, "timer");
  expect(await groupsIn(bench)).toEqual({});
});

it.each(["a", "a_b", "a/b", "A/B", "a:b", "a.b", "a-b", "a1", "x".repeat(128), "_".repeat(128), "/_"])(
  "the group %s is found by its own name, and not by the others'",
  async (name) => {
    const bench = await openBench();
    const others = ["a", "a_b", "a/b", "a:b", "a.b", "a-b", "a1", "a_"].filter((other) => other !== name.toLowerCase());
    for (const [n, other] of others.entries())
      await submit(bench, `other-${n}`, new URLSearchParams({ group: other, groupLimit: "1" }).toString());
    const query = new URLSearchParams({ group: name, groupLimit: "1" }).toString();
    const first = await submit(bench, "first", query);
    const second = await submit(bench, "second", query);
    await reconcileEach(bench, first, second);
    const all = await groupsIn(bench);
    expect(all[name.toLowerCase()]).toEqual({ held: 1, slots: [first], line: [second] });
    expect(Object.keys(all).toSorted()).toEqual([...others, name.toLowerCase()].toSorted());
    expect(await bench.deps.groups.view(name.toLowerCase())).toMatchObject({
      entry: { held: 1 },
      queue: [{ id: second }],
    });
  },
);

it("the head of the line is never overtaken, though its own limit is smaller", async () => {
  const bench = await openBench();
  const wide = await submit(bench, "wide", "group=g&groupLimit=3");
  await reconcileEach(bench, wide);
  bench.clock.advance(second);
  const narrow = await submit(bench, "narrow", "group=g&groupLimit=1");
  bench.clock.advance(second);
  const late = await submit(bench, "late", "group=g&groupLimit=3");
  await reconcileEach(bench, late, narrow, late);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [wide], line: [narrow, late] } });
  await follow(bench, wide);
  // The narrow one holds the only slot that it allows; the late one allows three.
  expect(await groupsIn(bench)).toMatchObject({ g: { held: 2, line: [] } });
});

it("priority is a head start in the lines of a group and of a name", async () => {
  const bench = await openBench();
  const runs = await submit(bench, "runs", "group=g&groupLimit=1");
  await reconcileEach(bench, runs);
  const plain = await submit(bench, "plain", "group=g&groupLimit=1");
  const urgent = await submit(bench, "urgent", "group=g&groupLimit=1&priority=60");
  const patient = await submit(bench, "patient", "group=g&groupLimit=1&priority=-60");
  await reconcileEach(bench, plain, urgent, patient);
  expect(await groupsIn(bench)).toMatchObject({ g: { line: [urgent, plain, patient] } });
  const named: JobId[] = [];
  for (const priority of [0, 0, 60]) named.push(await submit(bench, "same", `onConflict=wait&priority=${priority}`));
  const [first, last, second] = named;
  await reconcileEach(bench, ...named);
  expect(await bench.deps.jobs.index.waiting("same", 5)).toEqual([second, last]);
  if (first === undefined) throw new Error("no job");
  await follow(bench, first);
  expect((await bench.deps.jobs.index.lockOf((await jobOf(bench.deps, first)).groupName))?.lockedBy).toBe(second);
});

it("a job that does not wait takes its slot as it is accepted, and is refused when it would have to", async () => {
  const bench = await openBench();
  const query = "group=g&groupLimit=1&onGroupFull=reject";
  const first = await submit(bench, "first", query);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [first], line: [] } });
  const refused = await post(bench.deps, yaml("second"), query);
  expect(refused).toMatchObject({
    status: 409,
    body: {
      message: "Group g is full: 1 slot is held of 1, and 0 jobs wait. To wait for a slot use onGroupFull=wait.",
      ...{ code: "GroupFull", group: "g", held: 1, limit: 1, waiting: 0 },
    },
  });
  // Who waits goes first, also where there is a free slot.
  const waits = await submit(bench, "waits", "group=g&groupLimit=1");
  await reconcileEach(bench, waits);
  const free = await post(bench.deps, yaml("third"), "group=g&groupLimit=9&onGroupFull=reject");
  expect(free).toMatchObject({ status: 409, body: { code: "GroupFull", held: 1, limit: 9, waiting: 1 } });
  await deliver(bench.deps, {
    version: 1,
    definition: yaml("posted"),
    options: { group: "g", groupLimit: 1, onGroupFull: "reject" },
  });
  const posted = await jobOf(bench.deps, deriveJobId(start, "message-1"));
  expect(posted.phase).toMatchObject({ state: "Failed", verdict: { reason: "GroupFull" } });
  expect((await follow(bench, first)).phase.state).toBe("Succeeded");
});

it("a job that does not wait has its slot beside those who entered the line before it, where there is one for each", async () => {
  const bench = await openBench();
  const waits = await submit(bench, "waits", "group=g&groupLimit=1");
  const rejects = await submit(bench, "rejects", "group=g&groupLimit=3&onGroupFull=reject");
  expect(await groupsIn(bench)).toEqual({ g: { held: 2, slots: [waits, rejects], line: [] } });
  const next = await submit(bench, "next", "group=g&groupLimit=3");
  const late = await post(bench.deps, yaml("late"), "group=g&groupLimit=3&onGroupFull=reject");
  expect(late).toMatchObject({ status: 409, body: { code: "GroupFull", held: 2, waiting: 1 } });
  for (const id of [waits, rejects, next]) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
});

it("of many that do not wait no more are accepted than there are slots, by two instances", async () => {
  const bench = await openBench();
  const instances = [bench.deps, await bench.again()];
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      post(instances[n % 2] ?? bench.deps, yaml(`job-${n}`), "group=g&groupLimit=7&onGroupFull=reject"),
    ),
  );
  const count = (status: number): number => replies.filter((reply) => reply.status === status).length;
  expect([count(200), count(409)]).toEqual([7, 33]);
  const { g } = await groupsIn(bench);
  expect(g).toMatchObject({ held: 7, line: [] });
});

it("a job that waits and is canceled is passed over", async () => {
  const bench = await openBench();
  const [runs, leaves, next] = [
    await submit(bench, "runs", "group=g&groupLimit=1"),
    await submit(bench, "leaves", "group=g&groupLimit=1"),
    await submit(bench, "next", "group=g&groupLimit=1"),
  ];
  await reconcileEach(bench, runs, leaves, next);
  await del(bench.deps, leaves);
  await reconcileEach(bench, leaves);
  expect(await groupsIn(bench)).toMatchObject({ g: { line: [next] } });
  await follow(bench, runs);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [next], line: [] } });
});

it("a slot is held until nothing of the job runs any more: between two attempts, and not while a stopped group is kept", async () => {
  const bench = await openBench();
  const again = (await post(bench.deps, yaml("again", { exitCode: 1 }), "group=g&groupLimit=1&retries=1&keep=always"))
    .id;
  await reconcileEach(bench, again);
  const waits = await submit(bench, "waits", "group=g&groupLimit=1");
  const between = await follow(bench, again, ({ phase, attempt }) => attempt === 2 && phase.state === "Queued");
  expect(between.phase).toMatchObject({ waiting: { reason: "RetryDelay" } });
  await reconcileEach(bench, waits);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [again], line: [waits] } });
  const kept = await follow(bench, again, ({ phase, slotLeft }) => hasEnded(phase) && slotLeft === true);
  expect(kept.phase).toMatchObject({ state: "Failed", group: "stopped" });
  expect(groupsOf(bench)).toHaveLength(1);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [waits], line: [] } });
});

it("a job that waits over five minutes for quota gives its slot back, calls up another, and asks again", async () => {
  const bench = await openBench();
  const blocked = await submit(bench, "blocked", "group=g&groupLimit=1");
  const { placed } = await follow(bench, blocked, ({ phase }) => phase.state === "Pending");
  if (placed === undefined) throw new Error("not placed");
  await follow(bench, blocked);
  await bench.deps.placement.exclude(placed, "QuotaReached", bench.clock.now());
  const idle = await submit(bench, "idle", "group=g&groupLimit=1");
  await reconcileEach(bench, idle);
  expect(await reasonOf(bench, idle)).toBe("QuotaReached");
  const other = await submit(bench, "other", "group=g&groupLimit=1");
  await reconcileEach(bench, other);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [idle], line: [other] } });
  bench.clock.advance(5 * minute);
  await bench.deps.placement.exclude(placed, "QuotaReached", bench.clock.now());
  await reconcileEach(bench, idle);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [other], line: [idle] } });
  await bench.deps.placement.lift(placed);
  expect((await follow(bench, other)).phase.state).toBe("Succeeded");
  expect((await follow(bench, idle)).phase.state).toBe("Succeeded");
});

it("a job that waits for its name stands in no line of its group", async () => {
  const bench = await openBench();
  const holder = await submit(bench, "same", "group=g&groupLimit=1");
  await reconcileEach(bench, holder);
  const named = await submit(bench, "same", "group=g&groupLimit=1&onConflict=wait");
  const other = await submit(bench, "other", "group=g&groupLimit=1");
  await reconcileEach(bench, named, other);
  expect(await groupsIn(bench)).toEqual({ g: { held: 1, slots: [holder], line: [other] } });
  for (const id of [holder, other, named]) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
});

it("a reservation whose row never came leaves neither slot nor place", async () => {
  let fails = true;
  const gate = {
    before: ({ method, url }: { method: string; url: URL }) =>
      fails && method === "POST" && url.pathname.endsWith("/jobs") ? 503 : "pass",
  };
  const broken = await openBench({}, gate);
  for (const query of ["group=g&groupLimit=1&onGroupFull=reject", "group=h&groupLimit=1"])
    expect((await post(broken.deps, yaml(`job-${query.slice(6, 7)}`), query)).status).toBe(503);
  expect(await groupsIn(broken)).toMatchObject({ g: { held: 1 }, h: { line: [expect.any(String)] } });
  fails = false;
  broken.clock.advance(6 * minute);
  // One pass gives the reservations back, one calls up who is gone, one removes what says nothing any more.
  for (let passes = 0; passes < 4; passes++) {
    await runPass(broken.deps, "timer");
    broken.clock.advance(minute);
  }
  expect(await groupsIn(broken)).toEqual({});
});

it("a slot costs an accept nothing, or one read more for a job that does not wait; an admission two calls", async () => {
  const bench = await openBench({}, countedCalls);
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = bench.calls().length;
    await work();
    return bench.calls().length - before;
  };
  const accept = (name: string, query: string) => count(() => post(bench.deps, yaml(name), query));
  await accept("first", "");
  const plain = await accept("plain", "");
  expect(await accept("waits", "group=a&groupLimit=3&priority=5")).toBe(plain);
  expect(await accept("rejects", "group=b&groupLimit=3&onGroupFull=reject")).toBe(plain + 1);

  const admission = (id: JobId) => count(() => admit(bench.deps, jobs.get(id) ?? never()));
  const jobs = new Map<JobId, Job>();
  const submitted = async (name: string, query: string): Promise<JobId> => {
    const id = await submit(bench, name, query);
    jobs.set(id, await jobOf(bench.deps, id));
    return id;
  };
  await admission(await submitted("before", ""));
  const without = await admission(await submitted("without", ""));
  const free = await submitted("free", "group=c&groupLimit=1");
  expect(await admission(free)).toBe(without + 2);
  const later = await submitted("later", "group=c&groupLimit=1");
  await admission(later);
  jobs.set(later, {
    ...(jobs.get(later) ?? never()),
    phase: { state: "Queued", refusals: 0, waiting: { reason: "GroupFull", since: 0 } },
  });
  const release = (group: string, id: JobId) => count(() => bench.deps.groups.release({ group, id }));
  expect(await release("c", free)).toBe(2);
  expect(await admission(later)).toBe(without + 1);
});

function never(): never {
  throw new Error("no such job");
}
