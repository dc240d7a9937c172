import { describe, expect, it } from "vitest";
import { second } from "../../../src/shared/base/duration.ts";
import { Budget, type Kind } from "../../../src/shared/limits/rate-budget.ts";
import { armLimits } from "../../../src/shared/limits/windows.ts";
import { place, settings, start } from "../../kit/kit.ts";
import { Table, tableClient } from "../../model/tables.ts";

/** Budgets of instances that share their storage. */
function instances(count: number): readonly Budget[] {
  const table = new Table("control", () => undefined);
  const client = tableClient(table, (_label, _kind, effect) => new Promise((resolve) => resolve(effect())));
  return Array.from({ length: count }, () => new Budget(client, settings()));
}

async function takeAll(budgets: readonly Budget[], kind: Kind, now: number): Promise<number> {
  let taken = 0;
  for (const budget of budgets) while ((await budget.take(kind, place, now)).ok) taken++;
  return taken;
}

describe("ARM's budget", () => {
  it("is one for all instances: they never read more than ARM allows together", async () => {
    const budgets = instances(3);
    expect(await takeAll(budgets, "read", start)).toBe(armLimits.read.capacity);
    expect(await takeAll(budgets, "read", start + 2 * second)).toBe(2 * armLimits.read.perSecond);
  });

  it("counts log reads among the reads, and leaves half of them to looks", async () => {
    const budgets = instances(3);
    const half = armLimits.read.capacity / 2;
    expect(await takeAll(budgets, "log", start)).toBe(half);
    expect(await takeAll(budgets, "read", start)).toBe(half);
  });

  it("counts creates among the writes, and says when there is room again", async () => {
    const [budget] = instances(1);
    if (budget === undefined) throw new Error("There is no instance.");
    expect(await takeAll([budget], "write", start)).toBe(armLimits.write.capacity);
    expect(await budget.take("create", place, start)).toEqual({ ok: false, at: start + 100, reason: "Throttled" });
  });

  it("is not asked for while ARM has said to come back later", async () => {
    const [budget] = instances(1);
    if (budget === undefined) throw new Error("There is no instance.");
    budget.hold("read", place, start + 10 * second);
    const later = { ok: false, at: start + 10 * second, reason: "Throttled" };
    expect([await budget.take("read", place, start), await budget.take("log", place, start)]).toEqual([later, later]);
    expect(await budget.take("delete", place, start)).toEqual({ ok: true });
    expect(await budget.take("read", place, start + 10 * second)).toEqual({ ok: true });
  });
});
