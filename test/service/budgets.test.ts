/** What Azure and the operator allow is counted as it is used: no more, no less, and once. */
import { expect, it, vi } from "vitest";
import { faultSchema } from "../../local/aci/control/faults.ts";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { target, start } from "../kit/kit.ts";
import { countersOf, del, follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const break_ = ({ aci }: Bench, fault: Parameters<typeof faultSchema.parse>[0]): number =>
  aci.faults.add(faultSchema.parse(fault));

it("a storm of jobs and faults uses as many creates as reached ACI", async () => {
  const bench = await openBench({ ACI_CREATES_PER_5_MINUTES: "1000", ACI_CREATES_PER_HOUR: "1000" });
  const { deps } = bench;
  const posted = await Promise.all(Array.from({ length: 7 }, (_, n) => post(deps, yaml(`storm-${n}`))));
  const ids = posted.map(({ id }) => id);
  break_(bench, { match: { kind: "get" }, effect: { type: "status", status: 503 }, count: 4 });
  break_(bench, { match: { kind: "put" }, effect: { type: "status", status: 429, retryAfter: 1 }, count: 3 });
  break_(bench, {
    match: { kind: "put" },
    effect: { type: "status", status: 403, code: "AuthorizationFailed" },
    count: 2,
  });
  break_(bench, { match: { kind: "put" }, effect: { type: "drop", when: "before" }, count: 1 });
  await Promise.all(ids.map((id) => reconcile(deps, id, { at: undefined })));
  for (const id of ids) await follow(bench, id, ({ phase }) => phase.state === "Running" || hasEnded(phase));
  const refusedByArm = 3 + 2;
  const sent = countersOf(bench).calls["put"] ?? 0;
  expect(sent).toBeGreaterThanOrEqual(7 + refusedByArm + 1);
  expect(bench.clock.now()).toBeLessThan(start + hour);
  expect(1000 - (await deps.budget.creates(target, bench.clock.now()))).toBe(sent - refusedByArm);
});

it("a job that waits for a create goes on as soon as another's create did not take place", async () => {
  const bench = await openBench({ ACI_CREATES_PER_5_MINUTES: "1" });
  const { deps, clock } = bench;
  break_(bench, { match: { kind: "put" }, effect: { type: "status", status: 429, retryAfter: 1 }, count: 1 });
  const first = await post(deps, yaml("first"));
  await reconcile(deps, first.id, { at: undefined });
  expect((await jobOf(deps, first.id)).phase).toMatchObject({ state: "Queued", waiting: { reason: "Throttled" } });
  await del(deps, first.id);
  clock.advance(10 * second);
  const second_ = await post(deps, yaml("second"));
  await follow(bench, second_.id, ({ phase }) => phase.state === "Running");
  expect(clock.now()).toBeLessThan(start + minute);
});

it("two hosts that take one job draw one create, and who lost it gives it back", async () => {
  const bench = await openBench({ ACI_CREATES_PER_5_MINUTES: "1000", ACI_CREATES_PER_HOUR: "1000" });
  const other = await bench.again();
  const { id } = await post(bench.deps, yaml("twice"));
  await Promise.all([
    reconcile(bench.deps, id, { at: undefined }),
    reconcile(other, id, { at: undefined }),
    reconcile(other, id, { at: undefined }),
  ]);
  expect(countersOf(bench).calls["put"]).toBe(1);
  expect(1000 - (await bench.deps.budget.creates(target, bench.clock.now()))).toBe(1);
});

it("the day's budget counts every attempt of a job, from its start, once", async () => {
  const bench = await openBench({ DAILY_VCPU_SECONDS: "100" });
  const { deps, clock } = bench;
  const failing = await post(deps, yaml("failing", { seconds: 40, exitCode: 1 }), "retries=1");
  const running = async (attempt: number) =>
    follow(bench, failing.id, (job) => job.attempt === attempt && job.phase.state === "Running");
  await running(1);
  expect(await deps.daily.left(clock.now())).toEqual({ ok: true });
  await running(2);
  // Of the first 40 s are used up; the second counts while it runs.
  expect(await deps.daily.left(clock.now())).toEqual({ ok: true });
  const { provisioningAt = 0, attempts } = await jobOf(deps, failing.id);
  const [first] = attempts;
  const firstSeconds = ((first?.finishedAt ?? 0) - (first?.provisioningAt ?? 0)) / second;
  const fullAt = provisioningAt + (100 - firstSeconds) * second;
  expect(await deps.daily.left(fullAt - second)).toEqual({ ok: true });
  expect(await deps.daily.left(fullAt + second)).toEqual({ ok: false, at: Date.UTC(2026, 10, 25) });
  const ended = await follow(bench, failing.id);
  await deps.daily.settle(ended);
  const used = ended.attempts.reduce((sum, each) => sum + each.finishedAt - (each.provisioningAt ?? 0), 0) / second;
  const left = await deps.daily.left(clock.now());
  expect(left.ok).toBe(used < 100);
});

it("a job that starts before midnight counts for the day before, and a refused create counts for no day", async () => {
  const bench = await openBench({ DAILY_VCPU_SECONDS: "50" });
  const { deps, clock } = bench;
  clock.advance(16 * hour - minute); // start is at 08:00
  const { id } = await post(deps, yaml("late", { seconds: 600 }));
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  clock.advance(2 * minute);
  expect(await deps.daily.left(clock.now())).toEqual({ ok: true });
  await follow(bench, id);
  expect(await deps.daily.left(clock.now())).toEqual({ ok: true });
  break_(bench, {
    match: { kind: "put" },
    effect: { type: "status", status: 409, code: "ServiceUnavailable" },
    count: 1,
  });
  const refused = await post(deps, yaml("refused"));
  await reconcile(deps, refused.id, { at: undefined });
  await del(deps, refused.id);
  expect(await deps.daily.left(clock.now() + hour)).toEqual({ ok: true });
});

it("a job that is canceled just before its create is sent counts for no day", async () => {
  const bench = await openBench({ DAILY_VCPU_SECONDS: "50" });
  const { deps, clock } = bench;
  const { id } = await post(deps, yaml("canceled"));
  const { aci } = await deps.aci();
  vi.spyOn(aci, "leaseCreate").mockImplementationOnce(async () => {
    await del(deps, id);
    return { ok: true, lease: { at: clock.now(), team: undefined } };
  });
  await reconcile(deps, id, { at: undefined });
  expect((await jobOf(deps, id)).phase.state).toBe("Canceled");
  expect(countersOf(bench).calls["put"]).toBeUndefined();
  expect(await deps.daily.left(clock.now() + hour)).toEqual({ ok: true });
});

it("a job whose host dies as it has a create's token counts once, and for no day if it never creates anything", async () => {
  const bench = await openBench({ TEAMS: JSON.stringify({ a: { vcpuSecondsPerDay: 1000 } }) });
  const { deps, clock } = bench;
  const left = async () => (await bench.again()).teamBudgets.get("a")?.left(clock.now());
  const dies = async (name: string): Promise<JobId> => {
    const { id } = await post(deps, yaml(name), "team=a&runTimeout=600");
    const { aci } = await deps.aci();
    const lease = aci.leaseCreate.bind(aci);
    vi.spyOn(aci, "leaseCreate").mockImplementationOnce(async (...given) => {
      vi.spyOn(deps.jobs, "save").mockRejectedValueOnce(new Error("the host died"));
      return lease(...given);
    });
    await expect(reconcile(deps, id, { at: undefined })).rejects.toThrow("the host died");
    return id;
  };
  const again = await dies("again");
  await follow(bench, again, ({ phase }) => phase.state === "Running");
  // Twice 600 would be all of the day.
  expect(await left()).toEqual({ ok: true });
  const never = await dies("never");
  expect(await left()).toMatchObject({ ok: false, team: "a" });
  await del(deps, never);
  await follow(bench, never);
  expect(await left()).toEqual({ ok: true });
});

it("what an instance knows of a day keeps no job waiting that another's end lets go on", async () => {
  const bench = await openBench({ TEAMS: JSON.stringify({ a: { vcpuSecondsPerDay: 1000 } }) });
  const other = await bench.again();
  const first = await post(bench.deps, yaml("first"), "team=a&runTimeout=1200");
  await follow(bench, first.id, ({ phase }) => phase.state === "Running");
  const budget = bench.deps.teamBudgets.get("a");
  expect(await budget?.left(bench.clock.now())).toMatchObject({ ok: false });
  await follow({ ...bench, deps: other }, first.id);
  expect(await budget?.left(bench.clock.now())).toEqual({ ok: true });
});

it("a job whose host died as its create had been refused counts for no day once it has ended", async () => {
  const bench = await openBench({ DAILY_VCPU_SECONDS: "50" });
  const { deps, clock } = bench;
  break_(bench, {
    match: { kind: "put" },
    effect: { type: "status", status: 409, code: "ServiceUnavailable" },
    count: 1,
  });
  const { id } = await post(deps, yaml("refused"));
  vi.spyOn(deps.daily, "cancel").mockRejectedValueOnce(new Error("the host died"));
  await expect(reconcile(deps, id, { at: undefined })).rejects.toThrow("the host died");
  expect((await jobOf(deps, id)).phase.state).toBe("Queued");
  await del(deps, id);
  await reconcile(deps, id, { at: undefined });
  expect(await deps.daily.left(clock.now() + hour)).toEqual({ ok: true });
});

it.each(["get", "logs", "list", "resourceGroup"] as const)(
  "a 429 for a read (%s) holds up every read of its subscription",
  async (kind) => {
    const bench = await openBench();
    const { aci } = await bench.deps.aci();
    break_(bench, { match: { kind }, effect: { type: "status", status: 429, retryAfter: 30 }, count: 1 });
    const reads = {
      get: () => aci.observe(target, "job", true),
      logs: () => aci.logs(target, "job", "app", true),
      list: () => aci.list(target),
    };
    const first = { ...reads, resourceGroup: () => aci.locationOf({ ...target, location: undefined }) };
    expect(await first[kind]()).toMatchObject({ reason: "Throttled" });
    const before = countersOf(bench).calls;
    for (const read of Object.values(first))
      expect(await read()).toMatchObject({ group: "unknown", reason: "Throttled" });
    expect(await aci.ping(target)).toBe("throttled");
    expect(countersOf(bench).calls).toEqual(before);
    expect(aci.heldUntil).toBe(bench.clock.now() + 30 * second);
  },
);

it("a 429 for a stop holds up creates too, since both are writes to ARM", async () => {
  const bench = await openBench();
  const { aci } = await bench.deps.aci();
  break_(bench, { match: { kind: "stop" }, effect: { type: "status", status: 429, retryAfter: 30 }, count: 1 });
  expect(await aci.stop(target, "job")).toMatchObject({ kind: "refused", reason: "Throttled" });
  expect(await aci.leaseCreate(target, undefined, [])).toMatchObject({ ok: false, reason: "Throttled" });
  expect(aci.heldUntil).toBe(bench.clock.now() + 30 * second);
});

it("a 429 whose time to come back has passed already holds the next calls up all the same", async () => {
  const bench = await openBench();
  const { aci } = await bench.deps.aci();
  break_(bench, { match: { kind: "get" }, effect: { type: "status", status: 429, retryAfter: 0 }, count: 1 });
  expect(await aci.observe(target, "job", true)).toMatchObject({ reason: "Throttled" });
  expect(aci.heldUntil).toBe(bench.clock.now() + 15 * second);
});

it("a burst of creates that a region refuses leaves it out once, not for longer with each of them", async () => {
  const bench = await openBench();
  break_(bench, {
    match: { kind: "put" },
    effect: { type: "status", status: 409, code: "ServiceUnavailable" },
    count: 5,
  });
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push((await post(bench.deps, yaml(`burst-${n}`))).id);
  await Promise.all(ids.map((id) => reconcile(bench.deps, id, { at: undefined })));
  const [exclusion] = (await bench.deps.placement.exclusions(bench.clock.now())).values();
  expect(exclusion).toEqual({ reason: "NoCapacity", until: bench.clock.now() + 30 * second });
});

it.each([
  ["ResourceGroupNotFound", 404],
  ["AuthorizationFailed", 403],
])("a target that refuses a create with %s keeps no job from the others", async (code, status) => {
  const { subscriptionId } = target;
  const targets = ["rg-gone/westeurope", "rg-jobs/northeurope"].map((each) => `${subscriptionId}/${each}`);
  const bench = await openBench({ TARGETS: targets.join(",") });
  break_(bench, { match: { kind: "put" }, effect: { type: "status", status, code }, count: 1 });
  const { id } = await post(bench.deps, yaml("anywhere"));
  const job = await follow(bench, id, ({ phase }) => phase.state === "Running" || hasEnded(phase));
  expect(job).toMatchObject({ phase: { state: "Running" }, placed: { resourceGroup: "rg-jobs" } });
  expect(bench.clock.now()).toBeLessThan(start + 2 * minute);
});

it("a job that ends just as its create's token is taken counts for no day", async () => {
  const bench = await openBench({ DAILY_VCPU_SECONDS: "50" });
  const { deps, storage } = bench;
  const other = await bench.again();
  const { id } = await post(deps, yaml("unwanted"));
  const { aci } = await deps.aci();
  const lease = aci.leaseCreate.bind(aci);
  vi.spyOn(aci, "leaseCreate").mockImplementationOnce(async (...of) => {
    await del(other, id);
    await reconcile(other, id, { at: undefined });
    return lease(...of);
  });
  await reconcile(deps, id, { at: undefined });
  expect((await jobOf(deps, id)).phase).toMatchObject({ state: "Canceled", tidy: true });
  const keys: string[] = [];
  for await (const { rowKey = "" } of storage.table("control").listEntities()) keys.push(rowKey);
  expect(keys.filter((key) => key.includes(id))).toEqual([]);
});
