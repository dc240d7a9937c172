/** Read-modify-writes on an ETag against a rival that always wins: each ends within its bound, as its caller can deal with it. */
import { describe, expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { Unavailable } from "../../../src/shared/base/errors.ts";
import { groupName } from "../../../src/shared/base/ids.ts";
import { rewrite } from "../../../src/shared/base/rewrite.ts";
import { makeDeps, type Deps } from "../../../src/shared/deps.ts";
import { reconcile } from "../../../src/workers/reconcile/reconcile.ts";
import { Blobs, blobService } from "../../model/blobs.ts";
import { ring } from "../../model/key-ring.ts";
import { Queue, queueService } from "../../model/queues.ts";
import type { Call } from "../../model/scheduler.ts";
import { pointReader, Table, tableClient } from "../../model/tables.ts";
import { job, jobId, pacing, target, settings, start } from "../../kit/kit.ts";

const maxTries = 20;

/** Storage with a rival who, once let loose, changes everything just before each of our writes. */
class Rivalry {
  readonly #tables = new Map<string, Table>();
  readonly #blobs = new Blobs();
  #isLoose = false;
  writes = 0;
  readonly pauses: number[] = [];

  /** Another instance of the app. */
  readonly instance = (): Deps => {
    const call: Call = async (label, _kind, effect) => {
      await Promise.resolve();
      if (this.#isLoose && /^table.* (create|update|delete|transaction)$|^blob append$/.test(label)) this.#strike();
      return effect();
    };
    const environment = { AZURE_LOCATION: "westeurope", DAILY_VCPU_SECONDS: "1000", MAX_ACTIVE_JOBS: "7" };
    return makeDeps({
      settings: settings(environment),
      log: () => undefined,
      now: () => start,
      random: () => 0.5,
      instead: {
        storage: {
          table: (name) => tableClient(this.table(name), call),
          pointReader: (name) => pointReader(this.table(name), call),
          queues: queueService(new Queue(() => start), call),
          blobs: blobService(this.#blobs, call),
        },
        ring,
        aci: () => {
          throw new Error("ACI was reached");
        },
        sleep: (ms) => {
          this.pauses.push(ms);
          return Promise.resolve();
        },
      },
    });
  };

  readonly deps = this.instance();

  table(name: string): Table {
    const table = this.#tables.get(name) ?? new Table(name, () => undefined);
    this.#tables.set(name, table);
    return table;
  }

  readonly put = (
    table: string,
    partitionKey: string,
    rowKey: string,
    more: Readonly<Record<string, unknown>>,
  ): void => {
    this.table(table).transact([["upsert", { partitionKey, rowKey, ...more }, "Replace"]]);
  };

  letLoose(): void {
    this.#isLoose = true;
  }

  #strike(): void {
    this.writes++;
    for (const table of this.#tables.values())
      for (const row of [...table.all()]) table.transact([["update", row, "Replace"]]);
    for (const path of this.#blobs.names("")) this.#blobs.get(path).bytes = Buffer.from("theirs\n".repeat(this.writes));
  }
}

type Attempt = (rivalry: Rivalry) => Promise<() => Promise<unknown>>;

const finishedAt = start + minute;
const attempt = {
  number: 1,
  state: "Failed",
  verdict: { reason: "ExitCode" },
  provisioningAt: start,
  finishedAt,
} as const;
const line = (n: number): string => `2026-11-24T08:00:0${n}.000000000Z line\n`;
const running = { container: "running", restarted: false } as const;

/** Each is made ready before the rival is let loose. */
const failing: Readonly<Record<string, Attempt>> = {
  "a change of a job's row": async ({ deps }) => {
    await deps.jobs.insert(job(), { definition: undefined, callbacks: undefined });
    return () => deps.jobs.change(jobId(), (before) => ({ job: { ...before, yield: true } }));
  },
  "a reconcile": async ({ deps }) => {
    const canceled = job({ cancel: { at: start, reason: "CanceledByCaller" } });
    await deps.jobs.insert(canceled, { definition: undefined, callbacks: undefined });
    return () => reconcile(deps, jobId(), { at: undefined });
  },
  "a name that is handed over": ({ deps, put }) => {
    put("jobindex", "jobs", "hold_bellaciao", { jobId: jobId() });
    return Promise.resolve(() => deps.jobs.index.handOver(groupName("bellaciao"), jobId()));
  },
  "a count of active jobs": ({ deps, put }) => {
    put("jobindex", "jobs", "count_~all", { count: 5 });
    return Promise.resolve(() => deps.ceilings.capacityIn("~most"));
  },
  "a day's budget": async ({ deps, put }) => {
    for (const charge of await deps.daily.charge(job({ provisioningAt: start })))
      put("control", charge.partitionKey, charge.rowKey, charge);
    return () => deps.daily.settle(job({ attempts: [attempt] }));
  },
  "a signing key in the place of one that can't be opened": ({ deps, put }) => {
    put("control", "control", "link-key", { id: "?" });
    return Promise.resolve(() => deps.links.current());
  },
  "an installation's key": ({ deps, put }) => {
    put("control", "control", "installation", { id: "old", endpoint: "loopback" });
    return Promise.resolve(() => deps.control.installation());
  },
  "the list of targets": async ({ deps }) => {
    await deps.control.targets([{ ...target, location: undefined }]);
    return () => deps.control.targets([{ ...target, resourceGroup: "another", location: undefined }]);
  },
  "a captured log": async ({ deps }) => {
    await deps.blobs.logs.capture(jobId(), 1, "app", line(0), running);
    return () => deps.blobs.logs.capture(jobId(), 1, "app", line(0) + line(1), running);
  },
};

/** What the callers of the others get. */
const yielding: Readonly<Record<string, readonly [Attempt, unknown]>> = {
  "tokens of ARM": [
    async ({ deps, instance }) => {
      await deps.budget.take("read", target, start);
      return () => instance().budget.take("read", target, start);
    },
    { ok: false, at: start + second, reason: "Throttled" },
  ],
  "a create of a region": [
    async ({ deps }) => {
      await deps.budget.take("create", target, start);
      return () => deps.budget.take("create", target, start);
    },
    { ok: false, at: start + second, reason: "CreateLimit" },
  ],
  "a create that is given back": [
    async ({ deps }) => {
      await deps.budget.take("create", target, start);
      return () => deps.budget.giveBack("create", target, start);
    },
    undefined,
  ],
  "a region that is left out": [
    async ({ deps }) => {
      await deps.placement.exclude(target, "NoCapacity", start);
      return () => deps.placement.exclude(target, "NoCapacity", start + 30 * second);
    },
    undefined,
  ],
};

async function racing(attempt: Attempt): Promise<{ readonly rivalry: Rivalry; readonly result: Promise<unknown> }> {
  const rivalry = new Rivalry();
  const write = await attempt(rivalry);
  rivalry.letLoose();
  return { rivalry, result: write() };
}

function expectBounded({ writes, pauses }: Rivalry): void {
  expect(writes).toBe(maxTries);
  expect(pauses.length).toBeGreaterThanOrEqual(maxTries - 1);
  // Nobody is kept for long, and nobody asks without a pause.
  expect(pauses.every((pause) => pause > 0 && pause <= second / 2)).toBe(true);
}

describe("against a rival who always wins", () => {
  it.each(Object.entries(failing))("%s is given up as unavailable", async (_, attempt) => {
    const { rivalry, result } = await racing(attempt);
    await expect(result).rejects.toThrow(Unavailable);
    expectBounded(rivalry);
  });

  it.each(Object.entries(yielding))("%s is given up without harm", async (_, [attempt, outcome]) => {
    const { rivalry, result } = await racing(attempt);
    expect(await result).toEqual(outcome);
    expectBounded(rivalry);
  });

  it("a write ends by its time where each try takes long", async () => {
    const clock = { now: start };
    let tries = 0;
    const slow = { ...pacing, now: () => clock.now };
    const written = rewrite("it", slow, () => {
      tries++;
      clock.now += 15 * second;
      return Promise.resolve("conflict" as const);
    });
    await expect(written).rejects.toThrow("Too many change it at once.");
    expect(tries).toBe(2);
  });
});

it("a region that two instances leave out at once is left out once, and longer when it refuses again after that", async () => {
  const rivalry = new Rivalry();
  await Promise.all(
    [rivalry.deps, rivalry.instance()].map(({ placement }) => placement.exclude(target, "NoCapacity", start)),
  );
  const until = async (now: number) => [...(await rivalry.deps.placement.exclusions(now)).values()][0]?.until;
  expect(await until(start)).toBe(start + 30 * second);
  const after = start + 30 * second;
  await rivalry.deps.placement.exclude(target, "NoCapacity", after);
  expect(await until(after)).toBe(after + minute);
});
