import { describe, expect, it, onTestFinished } from "vitest";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { start, target } from "../kit/kit.ts";
import { startProxy } from "../kit/proxy.ts";
import { follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

/** A bench whose ARM answers every call below some resource groups with one error, or every call of one method. */
async function openWithout(
  refusal: { readonly status: number; readonly code: string; readonly method?: string },
  groups: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Bench & { readonly refused: string[] }> {
  const bench = await openBench();
  const refused: string[] = [];
  const proxy = await startProxy("arm", Number(new URL(bench.aci.url).port), {
    before: ({ url, method }) => {
      if (!groups.some((group) => `${url.pathname}/`.includes(`/resourceGroups/${group}/`))) return "pass";
      if (method !== (refusal.method ?? method)) return "pass";
      refused.push(url.pathname);
      const body = JSON.stringify({ error: { code: refusal.code, message: "It is not there." } });
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
    const places = ["rg-gone/westeurope", "rg-lost/eastus", "rg-jobs/northeurope"];
    const TARGETS = places.map((each) => `${target.subscriptionId}/${each}`).join(",");
    const bench = await openWithout(refusal, ["rg-gone", "rg-lost"], { TARGETS });
    const { id } = await post(bench.deps, yaml("anywhere"));
    const job = await follow(bench, id, ({ phase }) => phase.state === "Running" || hasEnded(phase));
    expect(job).toMatchObject({ phase: { state: "Running" }, placed: { resourceGroup: "rg-jobs" } });
    expect(bench.clock.now()).toBeLessThan(start + minute);
  });

  it.each(["westeurope", ""])(
    "as gone ends a job that can go nowhere else after an hour, as a refused create does (AZURE_LOCATION %j)",
    async (AZURE_LOCATION) => {
      const refusal = { status: 404, code: "ResourceGroupNotFound" };
      const bench = await openWithout(refusal, [target.resourceGroup], { AZURE_LOCATION });
      const { id } = await post(bench.deps, yaml("nowhere"));
      const job = await follow(bench, id, ({ phase }) => hasEnded(phase));
      expect(job.phase).toMatchObject({ state: "Failed", verdict: { reason: "TargetGone" } });
      expect(bench.clock.now() - start).toBeGreaterThanOrEqual(hour);
      expect(bench.clock.now() - start).toBeLessThan(hour + 10 * minute);
    },
  );
});

it("a job that a target refused, and that waits for a create of another, asks the first no more when it is its turn", async () => {
  const places = ["rg-closed/westeurope", "rg-jobs/northeurope"];
  const TARGETS = places.map((each) => `${target.subscriptionId}/${each}`).join(",");
  const refusal = { status: 403, code: "AuthorizationFailed", method: "PUT" };
  const limits = { ACI_CREATES_PER_5_MINUTES: "1" };
  const bench = await openWithout(refusal, ["rg-closed"], { TARGETS, ...limits });
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
    const places = ["rg-jobs/westeurope", "rg-jobs/northeurope", "rg-jobs/eastus"];
    const bench = await openBench({ TARGETS: places.map((each) => `${target.subscriptionId}/${each}`).join(",") });
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
