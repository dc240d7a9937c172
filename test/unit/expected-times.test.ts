/** Where jobs stand in wait queues, and when they are expected to start and to end: over hours, in simulated time. */
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { day, minute, second } from "../../src/shared/base/duration.ts";
import { groupName, mintJobId, type JobId } from "../../src/shared/base/ids.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { WaitQueues } from "../../src/shared/limits/wait-queues.ts";
import type { Run } from "../../src/shared/job/typical.ts";
import { readProgress } from "../../src/shared/store/index-rebuild.ts";
import { jobKey } from "../../src/shared/store/job-row.ts";
import { admit } from "../../src/workers/reconcile/admit.ts";
import { job, jobId, start } from "../kit/kit.ts";
import { sizeOf } from "../kit/size.ts";
import { CalmWorld } from "../model/calm-world.ts";
import { get, jobOf, post, yaml } from "../service/kit.ts";

vi.setConfig({ testTimeout: 60_000 });

const outlook = z.object({
  reason: z.string().optional(),
  queue: z.object({ position: z.number(), of: z.number(), expectedStartAt: z.iso.datetime().optional() }).optional(),
  expectedEndAt: z.iso.datetime().optional(),
  late: z.literal(true).optional(),
});
type Outlook = z.infer<typeof outlook>;

const outlookOf = async ({ deps }: CalmWorld, id: JobId): Promise<Outlook> => outlook.parse((await get(deps, id)).body);

/** Successes of a name, on the day before. */
function remember(world: CalmWorld, name: string, runs: readonly Run[]): void {
  for (const [n, run] of runs.entries()) {
    const at = start - day - n;
    const { partitionKey: rowPartition, rowKey: rowRow } = jobKey(jobId(n + 1, at), at);
    const entry = { partitionKey: "jobs", rowKey: `name_${name}_${rowRow}`, rowPartition, rowRow, ...run };
    world.table("jobindex").transact([["create", entry]]);
  }
}

/** A job that starts within 20 s and then runs for that time. */
async function submit(world: CalmWorld, name: string, query: string, seconds: number): Promise<JobId> {
  const reply = await post(world.deps, yaml(name, { more: `tags: {start: "20", app: "${seconds} 0"}` }), query);
  expect(reply.status, reply.body.message).toBe(200);
  // Jobs of one moment would stand in the order of their ids.
  world.now++;
  return reply.id;
}

interface Trial {
  readonly environment?: Record<string, string>;
  readonly name: (n: number) => string;
  readonly query: (n: number) => string;
  /** They do not stand in the order in which they came. */
  readonly isShared?: boolean;
  readonly seconds: (n: number) => number;
  /** Jobs that have what the others wait for. */
  readonly before: number;
  readonly reason: string;
}

const waiting = sizeOf(26, 50);
/** Three minutes, a sixth more or less; the same in each run. */
const spread = (n: number): number => 150 + ((n * 97) % 61);

it.each<Trial>([
  {
    environment: { ACI_CREATES_PER_5_MINUTES: "5", ACI_CREATES_PER_HOUR: "40" },
    name: (n) => `job-${n}`,
    query: () => "",
    seconds: () => 30,
    before: 5,
    reason: "CreateLimit",
  },
  {
    environment: {
      ACI_CREATES_PER_5_MINUTES: "5",
      ACI_CREATES_PER_HOUR: "40",
      TEAMS: JSON.stringify({ one: { weight: 3 }, two: {} }),
    },
    name: (n) => `job-${n}`,
    query: (n) => `team=${n % 2 === 0 ? "one" : "two"}`,
    seconds: () => 30,
    before: 5,
    reason: "CreateLimit",
    isShared: true,
  },
  { name: (n) => `job-${n}`, query: () => "group=g&groupLimit=4", seconds: spread, before: 4, reason: "GroupFull" },
  { name: () => "nightly", query: () => "onConflict=wait", seconds: spread, before: 1, reason: "NameBusy" },
])(
  "jobs that wait ($reason $environment.TEAMS) start in the order of their positions, at about the time that was expected",
  async (trial) => {
    const world = new CalmWorld(trial.environment);
    const count = trial.before + waiting;
    const history = Array.from({ length: 20 }, (_, n) => ({ startSeconds: 20, runSeconds: spread(n * 7) + 30 }));
    for (const name of new Set(Array.from({ length: count }, (_, n) => trial.name(n)))) remember(world, name, history);
    const ids: JobId[] = [];
    for (let n = 0; n < count; n++) ids.push(await submit(world, trial.name(n), trial.query(n), trial.seconds(n)));
    await world.work(world.now + 30 * second);

    const askedAt = world.now;
    const byPosition = new Map<number | undefined, JobId>();
    for (const id of ids.slice(trial.before)) byPosition.set((await outlookOf(world, id)).queue?.position, id);
    const line = Array.from({ length: waiting }, (_, n) => byPosition.get(n + 1) ?? jobId());
    expect(trial.isShared ? [...line].sort() : line).toEqual(ids.slice(trial.before).sort());
    const seen = await Promise.all(line.map((id) => outlookOf(world, id)));
    expect(seen.map(({ queue, reason }) => [queue?.of, reason])).toEqual(line.map(() => [waiting, trial.reason]));
    const firstCreates = () => Promise.all(line.map(async (id) => (await jobOf(world.deps, id)).firstCreateAt));
    const last = line.at(-1) ?? jobId();
    await world.work(askedAt + day, async () => (await jobOf(world.deps, last)).firstCreateAt !== undefined);

    const waits = (await firstCreates()).map((at = NaN) => at - askedAt);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    const errors = seen.map(({ queue }, n) => {
      const expected = Date.parse(queue?.expectedStartAt ?? "") - askedAt;
      return Math.abs((waits[n] ?? NaN) - expected) / (waits[n] ?? NaN);
    });
    expect(errors.toSorted((a, b) => a - b)[waiting / 2]).toBeLessThanOrEqual(0.2);
  },
);

/** Calls to storage while something is done, the ones that all jobs share left out. */
async function callsOf({ calls }: CalmWorld, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = calls.length;
  await work();
  return calls.slice(before).toSorted();
}

const point = "table jobs get";

it.each([
  ["name", "onConflict=wait", ["table jobindex get", "table jobindex list", "table jobindex list", point]],
  [
    "group",
    "group=g&groupLimit=1&uniqueName=true",
    ["table jobindex list", "table jobindex list", "table jobindex list"],
  ],
])("a status is one read, and reads the wait queue of a %s besides at most every 15 s", async (_, query, copy) => {
  const world = new CalmWorld();
  remember(
    world,
    "one",
    Array.from({ length: 5 }, () => ({ startSeconds: 20, runSeconds: 3600 })),
  );
  const ids: JobId[] = [];
  for (let n = 0; n < 3; n++) ids.push(await submit(world, "one", query, 3600));
  await world.work(world.now + 40 * second);
  const [, next = "", last = ""] = ids;
  const ask = (id: string) => callsOf(world, () => get(world.deps, id));
  expect(await ask(last)).toEqual([...copy, point].toSorted());
  expect([await ask(last), await ask(next)]).toEqual([[point], [point]]);
  world.now += 16 * second;
  expect(await ask(next)).toEqual([...copy, point].toSorted());
});

it("a job that runs, or has ended, costs its status no read more", async () => {
  const world = new CalmWorld();
  remember(
    world,
    "one",
    Array.from({ length: 20 }, () => ({ startSeconds: 20, runSeconds: 60 })),
  );
  const id = await submit(world, "one", "", 60);
  await world.work(world.now + 40 * second);
  expect((await outlookOf(world, id)).expectedEndAt).toBeDefined();
  expect(await callsOf(world, () => get(world.deps, id))).toEqual([point]);
});

it("a name's job is expected to end once five have succeeded, and is late past the longest of ten", async () => {
  const world = new CalmWorld();
  const ran = async (seconds: number): Promise<JobId> => {
    const id = await submit(world, "nightly", "", seconds);
    await world.work(world.now + 40 * second);
    return id;
  };
  const toEnd = (id: JobId) => world.work(world.now + day, async () => (await get(world.deps, id)).status !== 202);
  for (let n = 0; n < 10; n++) {
    const id = await ran(600);
    expect((await outlookOf(world, id)).expectedEndAt !== undefined).toBe(n >= 5);
    await toEnd(id);
  }
  const id = await ran(3600);
  const { startedAt = NaN } = await jobOf(world.deps, id);
  const ends = Date.parse((await outlookOf(world, id)).expectedEndAt ?? "");
  expect((ends - startedAt) / second).toBeGreaterThanOrEqual(600);
  expect((ends - startedAt) / second).toBeLessThan(640);
  await world.work(ends - minute);
  expect((await outlookOf(world, id)).late).toBeUndefined();
  await world.work(ends + 2 * minute);
  expect((await outlookOf(world, id)).late).toBe(true);
  await toEnd(id);
  const lines = world.logged.filter(({ event }) => event === "job late");
  expect(lines).toEqual([expect.objectContaining({ job: id, name: "nightly", attempt: 1 })]);
  expect((await outlookOf(world, id)).late).toBeUndefined();
});

it("failed jobs say nothing of the next, and twenty successes are all that count", async () => {
  const world = new CalmWorld();
  remember(world, "one", [
    ...Array.from({ length: 20 }, () => ({ startSeconds: 20, runSeconds: 60 })),
    ...Array.from({ length: 20 }, () => ({ startSeconds: 20, runSeconds: 6000 })),
  ]);
  const { id } = await post(world.deps, yaml("one", { more: 'tags: {start: "20", app: "7200 1"}' }));
  await world.work(start + 3 * 60 * minute);
  expect((await jobOf(world.deps, id)).phase.state).toBe("Failed");
  const { typical } = await world.deps.jobs.index.historyOf(groupName("one"));
  expect(typical).toEqual({ runs: 20, start: 20 * second, run: minute, most: minute });
});

it("what jobs of a name took is known again after the index was lost and rebuilt", async () => {
  const world = new CalmWorld();
  for (let n = 0; n < 3; n++) {
    await submit(world, "one", "", 60);
    await world.work(world.now + 10 * minute);
  }
  const before = await world.deps.jobs.index.historyOf(groupName("one"));
  expect(before.typical?.runs).toBe(3);
  world.lose("jobindex");
  let progress = readProgress(undefined, world.now);
  while (progress.pass !== "whole") progress = await world.deps.rebuild.step(progress, world.now + minute);
  expect(await world.deps.jobs.index.historyOf(groupName("one"))).toEqual(before);
});

it("rows and lists say when a waiting job is expected to start, and when a running one is expected to end", async () => {
  const world = new CalmWorld();
  remember(
    world,
    "one",
    Array.from({ length: 20 }, () => ({ startSeconds: 20, runSeconds: 3600 })),
  );
  const runs = await submit(world, "one", "", 3600);
  await world.work(world.now + 40 * second);
  const waits = await submit(world, "one", "onConflict=wait", 3600);
  await world.work(world.now + 3 * minute);
  const { expectedEndAt } = await outlookOf(world, runs);
  const all = { states: undefined, name: undefined, columns: {}, since: undefined, until: undefined };
  const { rows } = await world.deps.jobs.list(all, 10, undefined);
  const listed = new Map(rows.map((row) => [row["id"], row]));
  expect(listed.get(runs)).toMatchObject({ expectedEndAt: new Date(expectedEndAt ?? "") });
  expect(listed.get(waits)).toMatchObject({ expectedStartAt: new Date(expectedEndAt ?? "") });
  expect(listed.get(runs)).not.toHaveProperty("expectedStartAt");
});

/** No wait queue is ever read. */
class Unread extends WaitQueues {
  override standing(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

it.each([
  ["name", "onConflict=wait"],
  ["group", "group=g&groupLimit=1&uniqueName=true"],
  ["create", "uniqueName=true"],
])(
  "a job that begins to wait for a %s makes at most two calls more for its wait queue, and no call more within 15 s",
  async (what, query) => {
    const world = new CalmWorld(what === "create" ? { ACI_CREATES_PER_5_MINUTES: "1" } : {});
    remember(
      world,
      "one",
      Array.from({ length: 5 }, () => ({ startSeconds: 20, runSeconds: 3600 })),
    );
    await submit(world, "one", query, 3600);
    await world.work(world.now + 40 * second);
    const admitted = async (known: boolean): Promise<number> => {
      const id = await submit(world, "one", query, 3600);
      const { job } = (await world.deps.jobs.find(id)) ?? {};
      if (job === undefined) throw new Error("There is no job.");
      const without = { ...world.deps, waitQueues: new Unread(world.deps) };
      if (!known) world.now += 16 * second;
      // First, so that it reads what an instance keeps for a while anyhow.
      const plain = await callsOf(world, () => admit(without, job));
      const calls = await callsOf(world, () => admit(world.deps, job));
      return calls.length - plain.length;
    };
    const [first, next] = [await admitted(false), await admitted(true)];
    expect(first).toBeLessThanOrEqual(2);
    expect(next).toBeLessThanOrEqual(0);
  },
);

it("behind the first thousand of a wait queue no place is known", async () => {
  const world = new CalmWorld();
  const ids = Array.from({ length: 1001 }, (_, n) => mintJobId(start + n, new Uint8Array(10)));
  const { index } = world.deps.jobs;
  for (const [n, id] of ids.entries()) await index.enqueue("one", { id, createdAt: start + n, turn: start + n });
  const phase: Job["phase"] = { state: "Queued", refusals: 0, waiting: { reason: "NameBusy", since: start } };
  const standing = (id = jobId()) => world.deps.waitQueues.standing(job({ id, groupName: groupName("one"), phase }));
  expect(await standing(ids[999])).toEqual({ position: 1000, of: 1000 });
  expect(await standing(ids[1000])).toBeUndefined();
});
