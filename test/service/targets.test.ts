import { describe, expect, it, onTestFinished } from "vitest";
import { hour, minute } from "../../src/shared/base/duration.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { start, target } from "../kit/kit.ts";
import { startProxy } from "../kit/proxy.ts";
import { follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

/** A bench whose ARM answers every call below some resource groups with one error. */
async function openWithout(
  refusal: { readonly status: number; readonly code: string },
  groups: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Bench> {
  const bench = await openBench();
  const proxy = await startProxy("arm", Number(new URL(bench.aci.url).port), {
    before: ({ url }) => {
      if (!groups.some((group) => `${url.pathname}/`.includes(`/resourceGroups/${group}/`))) return "pass";
      const body = JSON.stringify({ error: { code: refusal.code, message: "It is not there." } });
      return { status: refusal.status, headers: { "content-type": "application/json" }, body };
    },
  });
  onTestFinished(() => proxy.stop());
  return { ...bench, deps: await bench.again({ AZURE_RESOURCE_MANAGER_ENDPOINT: proxy.url, ...environment }) };
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
