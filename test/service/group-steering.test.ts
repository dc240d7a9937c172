import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { expect, it, vi } from "vitest";
import { getGroup, listGroups, putGroup } from "../../src/http/operate/groups.ts";
import { setPriority } from "../../src/http/operate/priority.ts";
import { second } from "../../src/shared/base/duration.ts";
import { deriveJobId, type JobId } from "../../src/shared/base/ids.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { memberOf } from "../../src/shared/store/group-entries.ts";
import { start } from "../kit/kit.ts";
import { ask, deliver, follow, indexOf, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

async function submit(bench: Bench, name: string, query: string): Promise<JobId> {
  const reply = await post(bench.deps, yaml(name), query);
  expect(reply.status, reply.body.message).toBe(200);
  bench.clock.advance(second);
  return reply.id;
}

/** Jobs that were accepted one after another, each looked at once. */
async function jobsOf(bench: Bench, count: number, query: string): Promise<readonly JobId[]> {
  const ids: JobId[] = [];
  for (let n = 0; n < count; n++) ids.push(await submit(bench, `job-${n}`, query));
  for (const id of ids) await reconcile(bench.deps, id, { at: undefined });
  return ids;
}

async function steer(bench: Bench, group: string, body: object, headers: Record<string, string> = {}) {
  const request = new HttpRequest({
    method: "PUT",
    url: `http://localhost/api/groups/${group}`,
    params: { group },
    headers,
    body: { string: JSON.stringify(body) },
  });
  const reply = await putGroup(bench.deps)(request, new InvocationContext());
  const {
    status = 200,
    body: text,
    headers: given,
  } = reply as { status?: number; body: string; headers: Record<string, string> };
  return { status, tag: given["etag"], body: JSON.parse(text) as Record<string, unknown> };
}

const show = async (handler: HttpHandler, group?: string) =>
  (await ask(handler, group === undefined ? {} : { params: { group } })).body as Record<string, unknown>;
const idsIn = (list: unknown): unknown[] => (list as { id: string }[]).map(({ id }) => id);

it("those whom a lifted limit lets in are requeued side by side", async () => {
  const bench = await openBench();
  const { queues } = bench.deps;
  await steer(bench, "g", { limit: 1 });
  const ids = await jobsOf(bench, 5, "group=g");
  const send = queues.requeue.bind(queues);
  let [now, most] = [0, 0];
  const requeued = vi.spyOn(queues, "requeue").mockImplementation(async (...given) => {
    most = Math.max(most, ++now);
    await send(...given);
    now--;
  });
  await steer(bench, "g", { limit: null });
  expect(new Set(requeued.mock.calls.map(([id]) => id))).toEqual(new Set(ids.slice(1)));
  expect(most).toBeGreaterThan(1);
});

it("an operator's limit wins at once and stops nobody; raised, lifted or resumed it calls up as many", async () => {
  const bench = await openBench();
  const [one, two, three, four, five, six] = await jobsOf(bench, 6, "group=G&groupLimit=3");
  expect(await show(getGroup(bench.deps), "g")).toMatchObject({ held: 3, limit: null, paused: false });
  const lowered = await steer(bench, "g", { limit: 1 });
  expect(lowered).toMatchObject({ status: 200, tag: '"1"', body: { held: 3, limit: 1 } });
  if (one === undefined || two === undefined) throw new Error("no jobs");
  await follow(bench, one);
  await follow(bench, two);
  const left = await show(getGroup(bench.deps), "G");
  expect([idsIn(left["slots"]), idsIn(left["waiting"])]).toEqual([[three], [four, five, six]]);
  expect((await steer(bench, "g", { limit: 2 })).body).toMatchObject({ held: 2 });
  expect((await steer(bench, "g", { paused: true, limit: null })).body).toMatchObject({ held: 2, paused: true });
  const resumed = await steer(bench, "g", { paused: null });
  expect(resumed).toMatchObject({ tag: '"unlimited"', body: { held: 3, limit: null, paused: false } });
  expect(idsIn(resumed.body["waiting"])).toEqual([six]);
  for (const id of [three, four, five, six])
    if (id !== undefined) expect((await follow(bench, id)).phase.state).toBe("Succeeded");
});

it("a group is the rest of the path, and what is no group, no limit or nothing at all is refused", async () => {
  const bench = await openBench();
  expect((await steer(bench, "Ware/House_1", { limit: 3 })).body).toMatchObject({ group: "ware/house_1", limit: 3 });
  expect(await show(getGroup(bench.deps), "ware%2Fhouse_1")).toMatchObject({ group: "ware/house_1", limit: 3 });
  expect(await show(getGroup(bench.deps), "never/named")).toMatchObject({ held: 0, limit: null, slots: [] });
  expect(await show(listGroups(bench.deps))).toMatchObject({ groups: [{ group: "ware/house_1" }] });
  for (const body of [{}, { limit: 0 }, { limit: 10_001 }, { limit: "3" }, { paused: "yes" }, { colour: 1 }])
    expect((await steer(bench, "g", body)).status, JSON.stringify(body)).toBe(400);
  for (const name of ["a b", "", "ä", "x".repeat(129), "a%20b"])
    expect((await steer(bench, name, { limit: 1 })).status, name).toBe(400);
});

it("If-Match keeps an operator from overwriting what another one said; slots that come and go don't matter", async () => {
  const bench = await openBench();
  const { tag = "" } = await steer(bench, "g", { limit: 3 });
  await jobsOf(bench, 2, "group=g");
  expect((await steer(bench, "g", { limit: 4 }, { "if-match": tag })).status).toBe(200);
  expect(await steer(bench, "g", { limit: 5 }, { "if-match": tag })).toMatchObject({
    status: 412,
    body: { code: "VersionChanged" },
  });
  expect((await steer(bench, "g", { limit: 5 }, { "if-match": "*" })).status).toBe(200);
});

it("a list of groups goes on where its page ended", async () => {
  const bench = await openBench();
  for (let n = 0; n < 52; n++) await bench.deps.groups.steer(`group-${String(n).padStart(2, "0")}`, { limit: 1 });
  const first = await show(listGroups(bench.deps));
  expect(first["groups"]).toHaveLength(50);
  const rest = await ask(listGroups(bench.deps), { query: `continuation=${String(first["continuation"])}` });
  expect(rest.body["groups"]).toMatchObject([{ group: "group-50" }, { group: "group-51" }]);
});

it("a waiting job gets another place, in a group's line and in a name's, and a limit of its own bars it no more", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const [runs, narrow, wide] = [
    await submit(bench, "runs", "group=g&groupLimit=2"),
    await submit(bench, "narrow", "group=g&groupLimit=1"),
    await submit(bench, "wide", "group=g&groupLimit=2"),
  ];
  for (const { id } of await Promise.all([narrow, wide].map((id) => jobOf(deps, id))))
    await reconcile(deps, id, { at: undefined });
  const prefer = (id: JobId, priority: unknown) =>
    ask(setPriority(deps), { params: { id }, text: JSON.stringify({ priority }) });
  await prefer(wide, 3600);
  const { slots, waiting } = await show(getGroup(deps), "g");
  expect([idsIn(slots).toSorted(), idsIn(waiting)]).toEqual([[runs, wide].toSorted(), [narrow]]);
  expect((await jobOf(deps, wide)).options.priority).toBe(3600);
  const named: JobId[] = [];
  for (let n = 0; n < 3; n++) named.push(await submit(bench, "same", "onConflict=wait"));
  for (const id of named) await reconcile(deps, id, { at: undefined });
  const [first, second, third] = named;
  if (first === undefined || third === undefined) throw new Error("no jobs");
  for (let times = 0; times < 2; times++) expect(await prefer(third, 60)).toMatchObject({ status: 200 });
  expect(await deps.jobs.index.waiting("same", 5)).toEqual([third, second]);
  for (const priority of [86_401, 1.5, "1", null]) expect((await prefer(third, priority)).status).toBe(400);
  await follow(bench, first);
  expect(await prefer(first, 60)).toMatchObject({ status: 409, body: { code: "JobEnded" } });
});

it("the sweep repairs slots without jobs, jobs without slots, and a wrong number", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const [runs, waits] = await jobsOf(bench, 2, "group=g&groupLimit=1");
  if (runs === undefined || waits === undefined) throw new Error("no jobs");
  const table = storage.table("jobindex");
  const key = { partitionKey: "jobs" };
  await table.deleteEntity("jobs", `group_g_slot_${runs}`);
  await table.createEntity({ ...key, rowKey: "group_g_slot_01930000-0000-7000-8000-000000000000", name: "gone" });
  await table.updateEntity({ ...key, rowKey: "group_g_entry", held: 7 }, "Merge");
  await table.createEntity({ ...key, rowKey: "group_h_entry", held: 2 });
  for (let passes = 0; passes < 3; passes++) {
    clock.advance(60 * second);
    await runPass(deps, "timer");
  }
  const { slots, waiting, held } = await show(getGroup(deps), "g");
  expect([held, idsIn(slots), idsIn(waiting)]).toEqual([1, [runs], [waits]]);
  expect(await show(listGroups(deps))).toMatchObject({ groups: [{ group: "g" }] });
});

it("what a newer release adds to a group, a slot, a place in the line or a job of the group is kept, and its slot too", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const [sleeps, waits, last] = await jobsOf(bench, 3, "group=g&groupLimit=1");
  if (sleeps === undefined || waits === undefined || last === undefined) throw new Error("no jobs");
  const [index, jobs] = [storage.table("jobindex"), storage.table("jobs")];
  const key = { partitionKey: "jobs" };
  const queued = (await deps.groups.view("g")).queue.map(({ rowKey }) => rowKey);
  for (const rowKey of ["group_g_entry", `group_g_slot_${sleeps}`, ...queued])
    await index.updateEntity({ ...key, rowKey, weight: "heavy" }, "Merge");
  await index.createEntity({ ...key, rowKey: "group_g_lease_of-a-newer-kind", until: new Date(0) });
  const row = (await deps.jobs.find(sleeps))?.key;
  if (row === undefined) throw new Error("no row");
  const record = JSON.stringify({ ...(await jobOf(deps, sleeps)), phase: { state: "Hibernating" } });
  await jobs.updateEntity({ ...row, record, state: "Hibernating" }, "Merge");
  await index.updateEntity({ ...key, rowKey: `job_${sleeps}`, state: "Hibernating" }, "Merge");
  for (let passes = 0; passes < 3; passes++) {
    clock.advance(60 * second);
    await runPass(deps, "timer");
  }
  await steer(bench, "g", { limit: 2 });
  const { slots, waiting, held } = await show(getGroup(deps), "g");
  expect([held, idsIn(slots), idsIn(waiting)]).toEqual([1, [sleeps], [waits, last]]);
  for (const rowKey of ["group_g_entry", `group_g_slot_${sleeps}`, ...queued])
    expect(await index.getEntity("jobs", rowKey)).toMatchObject({ weight: "heavy" });
  expect(await index.getEntity("jobs", "group_g_lease_of-a-newer-kind")).toMatchObject({
    rowKey: expect.any(String) as string,
  });
});

it("a job that is given a priority while it waits for a ceiling is not let in above it", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { deps, clock } = bench;
  await deliver(deps, yaml("runs"), { id: "runs", insertedAt: clock.now() });
  await deliver(deps, yaml("waits"), { id: "waits", insertedAt: clock.now() });
  const waits = deriveJobId(clock.now(), "waits");
  const other = await bench.again();
  const save = deps.jobs.save.bind(deps.jobs);
  vi.spyOn(deps.jobs, "save").mockImplementationOnce(async (...of) => {
    await reconcile(other, waits, { at: undefined });
    return save(...of);
  });
  const reply = await ask(setPriority(deps), { params: { id: waits }, text: '{"priority":60}' });
  expect(reply.status).toBe(200);
  expect((await jobOf(deps, waits)).phase).toMatchObject({ state: "Queued", waiting: { reason: "TooManyJobs" } });
  await reconcile(deps, waits, { at: undefined });
  expect((await jobOf(deps, waits)).phase).toMatchObject({ state: "Queued", waiting: { reason: "TooManyJobs" } });
  expect((await indexOf(bench)).filter((key) => key.startsWith("wait_~"))).toHaveLength(1);
  await follow(bench, deriveJobId(start, "runs"));
  expect((await follow(bench, waits)).phase.state).toBe("Succeeded");
  expect((await indexOf(bench)).filter((key) => key.startsWith("wait_"))).toEqual([]);
});

it("a job that stands in a group's line twice gets one slot, and holds nobody up", async () => {
  const bench = await openBench();
  const { deps } = bench;
  await steer(bench, "g", { limit: 1 });
  const [first, twice, last] = await jobsOf(bench, 3, "group=g");
  if (first === undefined || twice === undefined || last === undefined) throw new Error("Three jobs were accepted.");
  const member = memberOf(await jobOf(deps, twice));
  if (member === undefined) throw new Error("It is of a group.");
  await deps.groups.enqueue({ ...member, turn: member.turn - 1 });
  await steer(bench, "g", { limit: 3 });
  for (const id of [first, twice, last]) await follow(bench, id);
  expect((await jobOf(deps, last)).phase.state).toBe("Succeeded");
  await runPass(deps, "timer");
  expect((await indexOf(bench)).filter((key) => /_(slot|queue)_/.test(key))).toEqual([]);
});
