import { describe, expect, it } from "vitest";
import type { TableClient } from "@azure/data-tables";
import { day, minute, second } from "../../../src/shared/base/duration.ts";
import type { Kind } from "../../../src/shared/limits/arm-calls.ts";
import { Placement } from "../../../src/shared/limits/placement.ts";
import { Budget } from "../../../src/shared/limits/rate-budget.ts";
import { pacing, target, settings, start } from "../../kit/kit.ts";
import { Table, tableClient } from "../../model/tables.ts";

/** An empty table `control`. */
function control(): TableClient {
  const table = new Table("control", () => undefined);
  return tableClient(table, (_label, _kind, effect) => new Promise((resolve) => resolve(effect())));
}

/** Budgets of instances that share their storage. */
function instances(count: number, environment: Readonly<Record<string, string>> = {}): readonly Budget[] {
  const client = control();
  return Array.from({ length: count }, () => new Budget(client, settings(environment), pacing));
}

function instance(environment: Readonly<Record<string, string>> = {}): Budget {
  const [budget] = instances(1, environment);
  if (budget === undefined) throw new Error("There is no instance.");
  return budget;
}

const { armReads, armWrites } = settings();

async function takeAll(budgets: readonly Budget[], kind: Kind, now: number): Promise<number> {
  let taken = 0;
  for (const budget of budgets) while ((await budget.take(kind, target, now)).ok) taken++;
  return taken;
}

describe("ARM's budget", () => {
  it("is one for all instances: they never read more than ARM allows together", async () => {
    const budgets = instances(3);
    expect(await takeAll(budgets, "read", start)).toBe(armReads.capacity);
    expect(await takeAll(budgets, "read", start + 2 * second)).toBe(2 * armReads.perSecond);
  });

  it("counts log reads among the reads, and leaves half of them to observations", async () => {
    const budgets = instances(3);
    const half = armReads.capacity / 2;
    expect(await takeAll(budgets, "log", start)).toBe(half);
    expect(await takeAll(budgets, "read", start)).toBe(half);
  });

  it("counts observations of what runs among the reads, and leaves a tenth of them to creates and deletions", async () => {
    const budgets = instances(3);
    const tenth = armReads.capacity / 10;
    expect(await takeAll(budgets, "observe", start)).toBe(armReads.capacity - tenth);
    expect(await takeAll(budgets, "log", start)).toBe(0);
    expect(await takeAll(budgets, "read", start)).toBe(tenth);
    // What comes again is theirs first.
    expect(await takeAll(budgets, "observe", start + second)).toBe(0);
    expect(await takeAll(budgets, "read", start + second)).toBe(armReads.perSecond);
  });

  it("counts creates among the writes, and has those that it refuses come back one after another", async () => {
    const budget = instance();
    expect(await takeAll([budget], "write", start)).toBe(armWrites.capacity);
    for (const at of [200, 300, 400])
      expect(await budget.take("create", target, start)).toEqual({ ok: false, at: start + at, reason: "Throttled" });
    expect(await budget.take("create", target, start + 200)).toEqual({ ok: true });
  });

  it("says how long it takes until all that were refused an observation have had theirs", async () => {
    const budget = instance();
    await takeAll([budget], "observe", start);
    expect(budget.backlog(target, start)).toBe(40);
    for (let more = 0; more < 100; more++) await budget.take("observe", target, start);
    expect([budget.backlog(target, start), budget.backlog(target, start + minute)]).toEqual([4040, 0]);
    const other = { ...target, subscriptionId: "another" };
    expect(budget.backlog(other, start)).toBe(0);
  });

  it("has nobody come back later than five minutes behind the next call", async () => {
    const budget = instance();
    budget.throttle("observe", target, start + minute);
    let last = 0;
    for (let n = 0; n < 10_000; n++) {
      const grant = await budget.take("observe", target, start);
      last = grant.ok ? NaN : grant.at;
    }
    expect(last).toBe(start + 6 * minute);
  });

  it("is not asked for while ARM has said to come back later", async () => {
    const budget = instance();
    budget.throttle("read", target, start + 10 * second);
    const later = { ok: false, at: start + 10 * second, reason: "Throttled" };
    expect([await budget.take("read", target, start), await budget.take("log", target, start)]).toEqual([later, later]);
    expect(await budget.take("delete", target, start)).toEqual({ ok: true });
    expect(await budget.take("read", target, start + 10 * second)).toEqual({ ok: true });
  });

  it("is not asked for sooner because ARM said so to a call that was under way", () => {
    const budget = instance();
    for (const delay of [60, 2]) budget.throttle("read", target, start + delay * second);
    expect(budget.heldFor("read", target, start)).toBe(60 * second);
  });
});

describe("an instance whose clock was a day ahead for a moment", () => {
  it("takes no calls and no creates from the others for a day", async () => {
    const [wrong, right] = instances(2);
    if (wrong === undefined || right === undefined) throw new Error("There are two.");
    for (const kind of ["read", "create"] as const) {
      expect((await wrong.take(kind, target, start + day)).ok).toBe(true);
      expect(await takeAll([wrong], kind, start + day)).toBeGreaterThan(0);
      const taken = await takeAll([right], kind, start);
      expect(taken).toBeGreaterThan(0);
      expect(await takeAll([right], kind, start + 10 * minute)).toBe(taken);
    }
  });

  it("leaves no region out for a day", async () => {
    const placement = new Placement(control(), pacing);
    await placement.exclude(target, "NoCapacity", start + day);
    expect(await placement.exclusions(start)).toEqual(new Map());
    await placement.exclude(target, "NoCapacity", start + 2 * minute);
    expect([...(await placement.exclusions(start)).values()]).toMatchObject([{ reason: "NoCapacity" }]);
  });
});

describe("many calls at once", () => {
  it("share one request for tokens: as many reads are granted as there are, and no read is refused before", async () => {
    const budget = instance();
    const grants = await Promise.all(Array.from({ length: 300 }, () => budget.take("read", target, start)));
    expect(grants.filter(({ ok }) => ok)).toHaveLength(armReads.capacity);
  });

  it("of several instances take every create that ACI allows, and no more", async () => {
    const budgets = instances(4, { ACI_CREATES_PER_5_MINUTES: "50" });
    const grants = await Promise.all(
      budgets.flatMap((budget) => Array.from({ length: 20 }, () => budget.take("create", target, start))),
    );
    expect(grants.filter(({ ok }) => ok)).toHaveLength(50);
  });
});

describe("ACI's budget of creates", () => {
  it("gets back what did not reach ACI, also in a later minute", async () => {
    const budget = instance({ ACI_CREATES_PER_5_MINUTES: "3" });
    expect(await takeAll([budget], "create", start)).toBe(3);
    await budget.giveBack("create", target, start);
    expect(await takeAll([budget], "create", start)).toBe(1);
    await budget.giveBack("create", target, start);
    const later = start + 2 * minute;
    expect(await budget.creates(target, later)).toBe(1);
    expect(await takeAll([budget], "create", later)).toBe(1);
  });

  it("is not made larger by what was never taken", async () => {
    const budget = instance({ ACI_CREATES_PER_5_MINUTES: "3" });
    await budget.giveBack("create", target, start);
    expect(await takeAll([budget], "create", start)).toBe(3);
    await budget.giveBack("create", target, start - 10 * minute);
    expect(await budget.creates(target, start)).toBe(0);
  });

  it("leaves ARM's writes alone where it is used up", async () => {
    const budget = instance({ ACI_CREATES_PER_5_MINUTES: "1", ARM_WRITES: "20/1" });
    expect(await takeAll([budget], "create", start)).toBe(1);
    for (let n = 0; n < 50; n++) expect((await budget.take("create", target, start)).ok).toBe(false);
    expect(await takeAll([budget], "write", start)).toBe(19);
  });
});

describe("what ARM itself says", () => {
  const { subscriptionId } = target;

  it("of its limits is a setting", async () => {
    const budget = instance({ ARM_READS: "30/0.5" });
    expect(await takeAll([budget], "read", start)).toBe(30);
    expect(await takeAll([budget], "read", start + 10 * second)).toBe(5);
  });

  it("as left is trusted where it is less than we counted, also for tokens that were taken", async () => {
    const budget = instance();
    expect((await budget.take("read", target, start)).ok).toBe(true);
    budget.heed({ kind: "read", subscriptionId, count: 7 }, start);
    expect(await takeAll([budget], "read", start)).toBe(7);
    expect(await takeAll([budget], "read", start + second)).toBeLessThanOrEqual(armReads.perSecond);
  });

  it("as left is kept in part from observations of what runs and from logs, since calls may be under way", async () => {
    const tenth = armReads.capacity / 10;
    for (const kind of ["observe", "log"] as const) {
      const budget = instance();
      budget.heed({ kind: "read", subscriptionId, count: tenth + 3 }, start);
      expect(await takeAll([budget], kind, start)).toBe(3);
      expect(await budget.take(kind, target, start)).toEqual({ ok: false, at: start + 80, reason: "Throttled" });
      expect(await takeAll([budget], "read", start)).toBe(tenth);
    }
  });

  it("to be left changes nothing where it is more, of another kind or subscription, or long ago", async () => {
    const budget = instance();
    budget.heed({ kind: "read", subscriptionId, count: 11_999 }, start);
    budget.heed({ kind: "write", subscriptionId, count: 0 }, start);
    budget.heed({ kind: "read", subscriptionId: "another", count: 0 }, start);
    expect(await takeAll([budget], "read", start)).toBe(armReads.capacity);
    budget.heed({ kind: "read", subscriptionId, count: 0 }, start);
    expect(await takeAll([budget], "read", start + minute)).toBe(armReads.capacity);
  });
});
