import { describe, expect, it, vi } from "vitest";
import { day, hour, minute, second } from "../../src/shared/base/duration.ts";
import { sizeOf } from "../kit/size.ts";
import { jobId, settings, start, subscription, target } from "../kit/kit.ts";
import { createQueue, regionQueueIn } from "../../src/shared/limits/region-queues.ts";
import { requeueWaiting } from "../../src/workers/reconcile/capacity.ts";
import { Flood } from "../model/flood.ts";

/** What several teams get of the published limits (300 creates an hour, 100 in five minutes), by the whole core in simulated time. */
const timeout = 300_000;
const open = (teams: object | undefined, more: Readonly<Record<string, string>> = {}): Flood =>
  new Flood(
    settings({
      AZURE_LOCATION: "westeurope",
      LOOK_INTERVAL_MIN: "PT1M",
      ...(teams === undefined ? {} : { TEAMS: JSON.stringify(teams) }),
      ...more,
    }),
  );

it(
  "single jobs of a team are created within two minutes though another posts hundreds; alone for a day, that one gets all",
  { timeout },
  async () => {
    const flood = open({ a: {}, b: {} });
    const posts = sizeOf(400, 700);
    for (let n = 0; n < posts; n++) await flood.post(`a-${n}`, "a");
    const posted = new Map<string, number>();
    for (let n = 0; n < 10; n++) {
      await flood.until(start + (5 + 6.1 * n) * minute + 7 * second);
      posted.set(`b-${n}`, flood.now);
      await flood.post(`b-${n}`, "b");
    }
    await flood.until(start + 62 * minute);
    const waits = flood.creates.flatMap(({ name, at }) => (posted.has(name) ? [at - (posted.get(name) ?? 0)] : []));
    expect(waits).toHaveLength(10);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * minute);
    // The last tenth is the single jobs' own.
    expect(flood.hourFrom(start)).toBeGreaterThanOrEqual(270);
    expect(flood.hourFrom(start)).toBeLessThanOrEqual(300);

    // Nobody looks for a day. What waits goes on.
    flood.now += day + 2 * hour;
    const [begun, later] = [flood.creates.length, flood.now];
    await flood.until(later + 59 * minute);
    expect(flood.creates.length - begun).toBe(Math.min(300, posts + 10 - begun));
  },
);

it("teams that wait get creates by their weights", { timeout }, async () => {
  const flood = open({ a: { weight: 3 }, b: { weight: 1 } }, { ACI_CREATES_PER_5_MINUTES: "20" });
  for (let n = 0; n < 200; n++) for (const team of ["b", "a"]) await flood.post(`${team}-${n}`, team);
  await flood.until(start + 61 * minute);
  // Those of the first minutes met no line.
  const all = flood.creates.slice(20, 220);
  const ofA = all.filter(({ name }) => name.startsWith("a")).length;
  expect(all.length).toBeGreaterThan(150);
  expect(ofA / (all.length - ofA)).toBeGreaterThan(2.7);
  expect(ofA / (all.length - ofA)).toBeLessThan(3.3);
});

it("within a team the older job goes first, less its priority", { timeout }, async () => {
  const flood = open({ a: {}, b: {} }, { ACI_CREATES_PER_5_MINUTES: "2" });
  for (const [name, more] of [
    ["first", ""],
    ["second", ""],
    ["late", ""],
    ["later", ""],
    ["urgent", "&priority=60"],
  ] as const)
    await flood.post(name, "a", more);
  await flood.until(start + 20 * minute);
  expect(flood.creates.map(({ name }) => name)).toEqual(["first", "second", "urgent", "late", "later"]);
});

describe("storage calls", () => {
  it("to accept a job are the same with teams, and to admit it at most two more", async () => {
    const counts: number[][] = [];
    for (const teams of [undefined, { a: { weight: 2 } }]) {
      const flood = open(teams);
      await flood.post("first", "a");
      await flood.until(start + 20 * second);
      flood.calls.clear();
      await flood.post("second", "a");
      const accepted = flood.callCount;
      await flood.until(flood.now + 500);
      expect(flood.creates).toHaveLength(2);
      counts.push([accepted, flood.callCount - accepted]);
    }
    const [[accepted = 0, admitted = 0] = [], [acceptedWith = 0, admittedWith = 0] = []] = counts;
    expect(acceptedWith).toBe(accepted);
    expect(admittedWith).toBeLessThanOrEqual(admitted + 2);
  });

  it.each<[string, Record<string, object> | undefined]>([
    ["of teams", { a: {}, b: {} }],
    ["without TEAMS", undefined],
  ])("to call up the next %s are one more for each line of 10,000 than for ten", { timeout }, async (_what, teams) => {
    const counts: number[] = [];
    for (const waiting of [10, 10_000]) {
      const flood = open(teams, { ACI_CREATES_PER_5_MINUTES: "1" });
      await flood.until(start + 1);
      const { index } = flood.deps.jobs;
      for (let n = 1; n <= waiting; n++)
        for (const team of ["a", "b"]) {
          const createdAt = start + n;
          await index.enqueue(createQueue(target, team), { id: jobId(n), createdAt, turn: createdAt });
        }
      flood.calls.clear();
      await requeueWaiting(flood.deps, Infinity);
      counts.push(flood.callCount);
      expect(await index.entries(createQueue(target, "a"), 20_000)).toHaveLength(waiting - 1);
    }
    expect((counts[1] ?? NaN) - (counts[0] ?? NaN)).toBeLessThanOrEqual(2);
    expect(counts[0]).toBeLessThan(16);
  });
});

it("many jobs at once are created and seen to end in turn, as fast as ARM's reads allow", { timeout }, async () => {
  const limits = { ACI_CREATES_PER_HOUR: "1000", ACI_CREATES_PER_5_MINUTES: "1000", ARM_READS: "30/3" };
  const flood = open(undefined, { ...limits, LOOK_INTERVAL_MIN: "PT2S" });
  for (let n = 0; n < 60; n++) await flood.post(`job-${n}`, "default");
  await flood.until(start + minute);
  expect(flood.creates).toHaveLength(60);
  // Each runs for a minute. A read shows its end, one brings its log, one shows that its group is gone.
  const end = Math.max(...flood.creates.map(({ at }) => at)) + minute;
  await flood.until(end + (3 * 60 * second) / 3 + 10 * second);
  const ended = [...flood.table("jobs").all()].filter(({ state }) => state === "Succeeded");
  expect(ended).toHaveLength(60);
});

it("lines of teams go on where the operator takes TEAMS away", async () => {
  const flood = open(undefined);
  await flood.until(start + 1);
  const { index } = flood.deps.jobs;
  await index.enqueue(createQueue(target, "a_b"), { id: jobId(1), createdAt: start, turn: start });
  await requeueWaiting(flood.deps, Infinity);
  expect(await index.entries(createQueue(target, "a_b"), 10)).toEqual([]);
});

describe("a definition without a location", () => {
  const regions = ["westeurope", "northeurope", "francecentral", "germanywestcentral"];
  const places = { TARGETS: regions.map((region) => `${subscription}/rg/${region}`).join(",") };

  it.each<[string, object | undefined]>([
    ["", undefined],
    [" where teams share", { a: {}, b: {} }],
  ])("goes to each target that may create, and else waits at one of them%s", { timeout }, async (_what, teams) => {
    const flood = open(teams, { ...places, ACI_CREATES_PER_5_MINUTES: "10" });
    for (let n = 0; n < 70; n++) await flood.post(`job-${n}`, n % 2 === 0 ? "a" : "b");
    await flood.until(start + minute);
    expect(flood.creates).toHaveLength(40);
    const waiting = new Map<string, number>();
    for await (const line of flood.deps.jobs.index.lines("~create-")) {
      const region = createQueue(regionQueueIn(line)?.placed ?? target);
      const { length } = await flood.deps.jobs.index.entries(line, 100);
      waiting.set(region, (waiting.get(region) ?? 0) + length);
    }
    expect([...waiting.values()].reduce((sum, length) => sum + length, 0)).toBe(30);
    expect(waiting.size).toBe(4);
    await flood.until(start + 11 * minute);
    expect(flood.creates).toHaveLength(70);
  });

  it("leaves a line for a target that has a create and nobody who waits", { timeout }, async () => {
    const flood = open(undefined, { ...places, ACI_CREATES_PER_5_MINUTES: "1", ACI_CREATES_PER_HOUR: "1" });
    for (let n = 0; n < 4; n++) await flood.post(`first-${n}`, "a");
    await flood.until(start + minute);
    for (let n = 0; n < 8; n++) await flood.post(`later-${n}`, "a", "", regions[0]);
    for (let n = 0; n < 6; n++) await flood.post(`anywhere-${n}`, "a");
    await flood.until(start + 2 * hour + 15 * minute);
    const created = flood.creates.map(({ name }) => name.replace(/-.*/, ""));
    expect(created.toSorted()).toEqual([
      ...Array<string>(6).fill("anywhere"),
      ...Array<string>(4).fill("first"),
      ...Array<string>(2).fill("later"),
    ]);
  });

  it.each([
    ["gone", { kind: "absent" }],
    ["out of reach", { kind: "unknown", group: "unknown", reason: "Throttled", retryAfter: second, azure: undefined }],
  ] as const)("is kept from no target by another whose resource group is %s", { timeout }, async (_what, read) => {
    const all = [`${subscription}/lost`, `${subscription}/rg/${regions[0] ?? ""}`];
    for (const targets of [all, all.toReversed()]) {
      const flood = open(undefined, { TARGETS: targets.join(",") });
      const { aci } = await flood.deps.aci();
      const located = aci.locationOf.bind(aci);
      const asked = vi.spyOn(aci, "locationOf");
      asked.mockImplementation((target) => (target.location === undefined ? Promise.resolve(read) : located(target)));
      await flood.post("job", "a");
      await flood.until(start + minute);
      expect(flood.creates).toHaveLength(1);
      // Whoever has a create asks nothing of the targets behind it.
      expect(asked.mock.calls.some(([{ location }]) => location === undefined)).toBe(targets === all);
    }
  });
});
