import { describe, expect, it } from "vitest";
import { ArmError } from "../../../../local/aci/arm/errors.ts";
import { Throttle } from "../../../../local/aci/arm/limits.ts";
import type { CallKind } from "../../../../local/aci/arm/routes.ts";
import { virtualClock } from "../../../../local/aci/clock.ts";
import type { Clock } from "../../../../local/aci/clock.ts";
import { limitsSchema } from "../../../../local/aci/options.ts";

const SUB = "sub-1";

function published(): { clock: Clock; throttle: Throttle } {
  const clock = virtualClock(1_000_000);
  return { clock, throttle: new Throttle(limitsSchema.parse({}), clock) };
}

/** The error that a call is refused with. */
function refused(call: () => void): ArmError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof ArmError) return error;
    throw error;
  }
}

describe("ARM's token buckets", () => {
  it.each<[CallKind, number, number]>([
    ["get", 250, 25],
    ["put", 200, 10],
    ["delete", 200, 10],
  ])("%s: %i at once, then %i a second, with Retry-After", (kind, size, perSecond) => {
    const { clock, throttle } = published();
    for (let call = 0; call < size; call += 1) throttle.admitCall(kind, SUB);
    const error = refused(() => {
      throttle.admitCall(kind, SUB);
    });
    expect(error).toMatchObject({ status: 429, code: "SubscriptionRequestsThrottled", retryAfter: 1 });
    clock.advance(1000);
    for (let call = 0; call < perSecond; call += 1) throttle.admitCall(kind, SUB);
    expect(
      refused(() => {
        throttle.admitCall(kind, SUB);
      }),
    ).toBeDefined();
  });

  it("are apart for each subscription and kind, and say what is left", () => {
    const { throttle } = published();
    throttle.admitCall("get", SUB);
    expect(throttle.headers("get", SUB, undefined)).toEqual({ "x-ms-ratelimit-remaining-subscription-reads": "249" });
    expect(throttle.headers("get", "other", undefined)).toEqual({
      "x-ms-ratelimit-remaining-subscription-reads": "250",
    });
    expect(throttle.headers("put", SUB, "westus")).toMatchObject({
      "x-ms-ratelimit-remaining-subscription-writes": "200",
      "x-ms-ratelimit-remaining-subscription-resource-requests-pt5m": "100",
      "x-ms-ratelimit-remaining-subscription-resource-requests-pt1h": "300",
    });
  });
});

describe("the service's own limits", () => {
  const group = (name: string) => ({ subscription: SUB, resourceGroup: "rg", name });
  const none = { groups: 0, cores: 0 };

  it("100 creates in 5 minutes and 300 in an hour, for each region", () => {
    const { clock, throttle } = published();
    const create = (count: number, location = "westus"): void => {
      for (let index = 0; index < count; index += 1) throttle.admitCreate(group(`g-${location}`), location, 1, none);
    };
    create(100);
    expect(
      refused(() => {
        create(1);
      }),
    ).toMatchObject({ status: 429, retryAfter: 300 });
    create(1, "eastus");
    clock.advance(5 * 60_000);
    create(100);
    clock.advance(5 * 60_000);
    create(100);
    clock.advance(5 * 60_000);
    expect(
      refused(() => {
        create(1);
      }),
    ).toMatchObject({ status: 429, retryAfter: 45 * 60 });
    clock.advance(45 * 60_000);
    create(100);
  });

  it("refuses above the region's quota of groups and cores", () => {
    const { throttle } = published();
    const at = (groups: number, cores: number) =>
      refused(() => {
        throttle.admitCreate(group("g"), "westus", 4, { groups, cores });
      });
    expect(at(99, 96)).toBeUndefined();
    expect(at(100, 10)).toMatchObject({ status: 409, code: "ContainerGroupQuotaReached" });
    expect(at(10, 97)?.message).toContain(
      "'StandardCores' exceeded in region 'westus'. Limit: '100', Usage: '97' Requested: '4'",
    );
  });

  it("takes one name in several regions at once for fraud, and not a minute later", () => {
    const { clock, throttle } = published();
    throttle.admitCreate(group("same"), "westus", 1, none);
    const error = refused(() => {
      throttle.admitCreate(group("SAME"), "eastus", 1, none);
    });
    expect(error).toMatchObject({ status: 409, code: "ServiceUnavailable" });
    expect(error?.message).toContain("Limit: '0'");
    clock.advance(60_000);
    throttle.admitCreate(group("same"), "eastus", 1, none);
  });

  it("can be off", () => {
    const throttle = new Throttle(false, virtualClock(0));
    for (let index = 0; index < 1000; index += 1) {
      throttle.admitCall("get", SUB);
      throttle.admitCreate(group("g"), "westus", 50, { groups: 1000, cores: 1000 });
    }
    expect(throttle.headers("get", SUB, undefined)).toEqual({});
  });
});
