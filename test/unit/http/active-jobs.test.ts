import { describe, expect, it } from "vitest";
import { activePage } from "../../../src/http/lib/active-jobs.ts";
import type { ActiveJob } from "../../../src/shared/store/job-index.ts";
import { mintJobId, type JobId } from "../../../src/shared/base/ids.ts";

const start = Date.UTC(2026, 0, 1);

/** Entries of the index, in its order: each is made as it is read. */
function index(count: number, columns: (n: number) => ActiveJob["columns"]) {
  const ids = Array.from({ length: count }, (_, n): JobId => mintJobId(start + n, new Uint8Array(10).fill(n % 251)));
  return {
    shown: (row: ActiveJob["columns"]) => row,
    index: {
      async *active(): AsyncGenerator<ActiveJob> {
        for (const [n, id] of ids.entries())
          yield await Promise.resolve({
            id,
            state: "Queued",
            reason: "",
            name: "n",
            createdAt: start + n,
            array: undefined,
            columns: columns(n),
          });
      },
    },
  };
}

const filter = { states: undefined, name: undefined, columns: {}, since: undefined, until: undefined };

describe("a page of the jobs that have not ended", () => {
  it("is one of many, which together have each job once, newest first", async () => {
    const jobs = index(3500, (n) => ({ n }));
    const found: unknown[] = [];
    let continuation: string | undefined;
    do {
      const page = await activePage(jobs, { filter, tag: undefined, top: 700, continuation });
      if (page === "no such page") throw new Error("The page before named one that is not there.");
      found.push(...page.rows.map(({ n }) => n));
      ({ continuation } = page);
    } while (continuation !== undefined);
    expect(found).toEqual(Array.from({ length: 3500 }, (_, n) => 3499 - n));
  });

  it("keeps few of the others in memory", async () => {
    let most = 0;
    const jobs = index(10_000, () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      return { large: Buffer.alloc(100_000) };
    });
    const page = await activePage(jobs, { filter, tag: undefined, top: 10, continuation: undefined });
    expect(page === "no such page" ? [] : page.rows).toHaveLength(10);
    expect(most).toBeLessThan(600_000_000); // all of them have a gigabyte
  });
});
