import { describe, expect, it, onTestFinished } from "vitest";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { start, target } from "../kit/kit.ts";
import { startProxy } from "../kit/proxy.ts";
import { follow, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  readonly method?: string;
}

const placesOf = (...places: string[]): { readonly TARGETS: string } => ({
  TARGETS: places.map((each) => `${target.subscriptionId}/${each}`).join(","),
});

/** A bench whose ARM answers every call below some resource groups with an error, or every call of one method. */
async function openWithout(
  refusals: Readonly<Record<string, Refusal>>,
  environment: Readonly<Record<string, string>>,
): Promise<Bench & { readonly refused: string[] }> {
  const bench = await openBench();
  const refused: string[] = [];
  const proxy = await startProxy("arm", Number(new URL(bench.aci.url).port), {
    before: ({ url, method }) => {
      const refusal = refusals[/\/resourceGroups\/([^/]+)/.exec(url.pathname)?.[1] ?? ""];
      if (refusal === undefined || method !== (refusal.method ?? method)) return "pass";
      refused.push(url.pathname);
      const { code, message = "It is not there." } = refusal;
      const body = JSON.stringify({ error: { code, message } });
      return { status: refusal.status, headers: { "content-type": "application/json" }, body };
    },
  });
  onTestFinished(() => proxy.stop());
  return { ...bench, refused, deps: await bench.again({ AZURE_RESOURCE_MANAGER_ENDPOINT: proxy.url, ...environment }) };
}

describe("a target that answers reads as it would answer a create", () => {
  it.each([
    { status: 404, code: "ResourceGroupNotFound" },
    { status: 404, code: "SubscriptionNotFound" },
    { status: 403, code: "AuthorizationFailed" },
  ])("with $code keeps no job from the others, though two are like that", async (refusal) => {
    const targets = placesOf("rg-gone/westeurope", "rg-lost/eastus", "rg-jobs/northeurope");
    const bench = await openWithout({ "rg-gone": refusal, "rg-lost": refusal }, targets);
    const { id } = await post(bench.deps, yaml("anywhere"));
    const job = await follow(bench, id, ({ phase }) => phase.state === "Running" || hasEnded(phase));
    expect(job).toMatchObject({ phase: { state: "Running" }, placed: { resourceGroup: "rg-jobs" } });
    expect(bench.clock.now()).toBeLessThan(start + minute);
  });

  const gone = { status: 404, code: "ResourceGroupNotFound" };
  const denied = { status: 403, code: "AuthorizationFailed" };
  const [one, other] = ["rg-gone/westeurope", "rg-lost/eastus"];

  it.each<[string, Record<string, Refusal>, Record<string, string>, RegExp]>([
    ["its one target is gone", { "rg-jobs": gone }, {}, /^TargetGone$/],
    ["it is gone, and its location not known", { "rg-jobs": gone }, { AZURE_LOCATION: "" }, /^TargetGone$/],
    ["its one target may not be read", { "rg-jobs": denied }, {}, /^NotAuthorized$/],
    ["it may not, and its location is not known", { "rg-jobs": denied }, { AZURE_LOCATION: "" }, /^NotAuthorized$/],
    [
      "two targets refuse it for different reasons",
      { "rg-gone": gone, "rg-lost": denied },
      placesOf(one, other),
      /TargetGone|NotAuthorized/,
    ],
    [
      "Azure has no container groups in its target's region",
      { "rg-jobs": { status: 400, code: "LocationNotAvailableForResourceType", method: "PUT" } },
      {},
      /^TargetGone$/,
    ],
    [
      "one refuses reads, the other the create",
      { "rg-gone": denied, "rg-lost": { ...gone, method: "PUT" } },
      placesOf("rg-gone", other),
      /TargetGone|NotAuthorized/,
    ],
  ])("ends a job that can go nowhere else after an hour: %s", async (_, refusals, environment, reason) => {
    const bench = await openWithout(refusals, environment);
    const { id } = await post(bench.deps, yaml("nowhere"));
    const job = await follow(bench, id, ({ phase }) => hasEnded(phase));
    expect(hasEnded(job.phase) && job.phase.verdict.reason).toMatch(reason);
    expect(bench.clock.now() - start).toBeGreaterThanOrEqual(hour);
    expect(bench.clock.now() - start).toBeLessThan(hour + 12 * minute);
  });

  it("and that answers creates with failures of its own keeps no job from the others", async () => {
    const broken = { status: 500, code: "InternalServerError", method: "PUT" };
    const bench = await openWithout({ "rg-gone": broken }, placesOf(one, "rg-jobs/northeurope"));
    const { id } = await post(bench.deps, yaml("elsewhere"));
    const job = await follow(bench, id, ({ phase }) => phase.state === "Running" || hasEnded(phase));
    expect(job).toMatchObject({ phase: { state: "Running" }, placed: { resourceGroup: "rg-jobs" } });
    expect(bench.clock.now()).toBeLessThan(start + 2 * minute);
  });

  it.each([one, "rg-gone"])("ends no job for which another is only full (%s)", async (first) => {
    const bench = await openWithout({ "rg-gone": gone }, placesOf(first, other));
    const { id } = await post(bench.deps, yaml("waits"));
    const full = { ...target, resourceGroup: "rg-lost", location: "eastus" };
    for (let minutes = 0; minutes < 80; minutes += 8) {
      await bench.deps.placement.exclude(full, "NoCapacity", bench.clock.now());
      await reconcile(bench.deps, id, { at: undefined });
      bench.clock.advance(8 * minute);
    }
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({ state: "Queued", waiting: { reason: "NoCapacity" } });
  });
});

it("a job that a target refused, and that waits for a create of another, asks the first no more when it is its turn", async () => {
  const targets = placesOf("rg-closed/westeurope", "rg-jobs/northeurope");
  const refusal = { status: 403, code: "AuthorizationFailed", method: "PUT" };
  const bench = await openWithout({ "rg-closed": refusal }, { ...targets, ACI_CREATES_PER_5_MINUTES: "1" });
  const first = await post(bench.deps, yaml("first"));
  await follow(bench, first.id, ({ phase }) => phase.state === "Running");
  const { id } = await post(bench.deps, yaml("second"));
  const limited = ({ phase }: Job): boolean => phase.state === "Queued" && phase.waiting?.reason === "CreateLimit";
  expect(await follow(bench, id, limited)).toMatchObject({ placed: { resourceGroup: "rg-jobs" } });
  const before = bench.refused.length;
  bench.clock.advance(6 * minute);
  await reconcile(bench.deps, id, { at: undefined });
  expect((await jobOf(bench.deps, id)).placed).toMatchObject({ resourceGroup: "rg-jobs" });
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Running");
  expect(bench.refused.length).toBe(before);
});

describe("a quota that is smaller than a job's group", () => {
  const message =
    "Container group quota 'StandardCores' exceeded in region 'westeurope'. Limit: '10', Usage: '0' Requested: '16'.";
  const small = { status: 409, code: "ContainerGroupQuotaReached", message, method: "PUT" };
  const targets = placesOf("rg-small/westeurope", "rg-jobs/northeurope");

  it("sends it to the next target at once, and asks the first no more", async () => {
    const bench = await openWithout({ "rg-small": small }, targets);
    const { id } = await post(bench.deps, yaml("large", { exitCode: 1 }), "retries=1");
    const runs = await follow(bench, id, ({ phase }) => phase.state === "Running");
    expect(runs).toMatchObject({ placed: { resourceGroup: "rg-jobs" }, attempt: 1 });
    expect(bench.clock.now()).toBeLessThan(start + 10 * second);
    expect(bench.refused).toHaveLength(1);
  });

  it("ends it where every target's is, with the numbers", async () => {
    const bench = await openWithout({ "rg-small": small, "rg-jobs": small }, targets);
    const { id } = await post(bench.deps, yaml("large"));
    const job = await follow(bench, id, ({ phase }) => hasEnded(phase));
    expect(job.phase).toMatchObject({ state: "Failed", verdict: { reason: "QuotaTooSmall" } });
    expect((await get(bench.deps, id)).body.message).toContain("16");
    expect(bench.refused).toHaveLength(2);
    expect(bench.clock.now()).toBeLessThan(start + 10 * second);
  });
});

describe("a region that is full", () => {
  const placeOf = (location: string) => ({ ...target, location });
  const spot = (name: string): string =>
    yaml(name).replace("restartPolicy: Never", "restartPolicy: Never\n  priority: Spot");
  const capacityLines = async (bench: Bench): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of bench.deps.jobs.index.lines("~room")) lines.push(line);
    return lines;
  };

  it("for Spot groups keeps no other group out, and the other way round", async () => {
    const bench = await openBench();
    const { deps, clock, aci } = bench;
    const effect = { type: "status", status: 409, code: "ContainerGroupSpotQuotaReached" } as const;
    const refusing = aci.faults.add({ match: { kind: "put", name: "^spot" }, effect, probability: 1 });
    const first = await post(deps, spot("spot-1"));
    await reconcile(deps, first.id, { at: undefined });
    const second_ = await post(deps, spot("spot-2"));
    await reconcile(deps, second_.id, { at: undefined });
    expect((await jobOf(deps, second_.id)).phase).toMatchObject({ waiting: { reason: "QuotaReached" } });
    expect(await capacityLines(bench)).toEqual([`~room-${target.subscriptionId}-westeurope~spot`]);
    const { id } = await post(deps, yaml("regular"));
    await follow(bench, id, ({ phase }) => phase.state === "Running");
    expect(clock.now()).toBe(start);
    aci.faults.remove(refusing);
    await deps.placement.exclude(target, "NoCapacity", clock.now());
    for (const waits of [first.id, second_.id])
      expect((await follow(bench, waits)).phase).toMatchObject({ state: "Succeeded" });
  });

  it("is waited for where it is tried again first", async () => {
    const bench = await openBench(placesOf("rg-jobs/westeurope", "rg-jobs/northeurope", "rg-jobs/eastus"));
    const { deps, clock } = bench;
    await deps.placement.exclude(placeOf("westeurope"), "NoCapacity", start);
    clock.advance(30 * second);
    for (const location of ["westeurope", "eastus", "northeurope"])
      await deps.placement.exclude(placeOf(location), "NoCapacity", clock.now() + (location === "northeurope" ? 1 : 0));
    const { id } = await post(deps, yaml("anywhere"));
    await reconcile(deps, id, { at: undefined });
    expect(await capacityLines(bench)).toEqual([`~room-${target.subscriptionId}-eastus`]);
  });
});
