import { expect, it } from "vitest";
import { hour, minute } from "../../../src/shared/base/duration.ts";
import { fitting, withRefusalBy } from "../../../src/shared/job/targets.ts";
import { job, rules, start, target } from "../../kit/kit.ts";

const other = { ...target, resourceGroup: "rg-2" };
const two = { ...rules, targets: [target, other] };

it("a target whose quota was smaller than the group is asked again after an hour, and sooner where no other is left", () => {
  const once = withRefusalBy(target, job(), { reason: "QuotaTooSmall" }, start, two);
  expect(fitting(once, two, start + hour)).toMatchObject([other]);
  expect(fitting(once, two, start + hour + 1)).toMatchObject([target, other]);
  const twice = withRefusalBy(other, once, { reason: "QuotaTooSmall" }, start, two);
  expect(fitting(twice, two, start)).toMatchObject([target, other]);
});

it("a target's refusals are forgotten once it answers otherwise, or no longer for a long time", () => {
  const denied = { reason: "NotAuthorized" } as const;
  const once = withRefusalBy(target, job(), denied, start, two);
  expect(withRefusalBy(target, once, { reason: "NoCapacity" }, start, two)).not.toHaveProperty("refusals");
  const soon = withRefusalBy(target, once, denied, start + 30 * minute, two);
  expect(soon.refusals).toMatchObject([{ since: start, lastAt: start + 30 * minute }]);
  const late = withRefusalBy(target, once, denied, start + 2 * hour, two);
  expect(late.refusals).toMatchObject([{ since: start + 2 * hour }]);
  // Its location may be known only later.
  const unread = withRefusalBy({ ...target, location: undefined }, job(), denied, start, two);
  expect(withRefusalBy(target, unread, denied, start, two).refusals).toHaveLength(1);
});
