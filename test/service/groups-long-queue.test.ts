import { expect, it } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { memberOf } from "../../src/shared/store/group-entries.ts";
import { admit } from "../../src/workers/reconcile/admit.ts";
import { jobId, start } from "../kit/kit.ts";
import { countedCalls, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const waiting = 10_000;

/** Jobs that wait for a slot of the group `long`, each with a limit of 1. */
async function fill({ storage }: Bench): Promise<void> {
  const table = storage.table("jobindex");
  for (let n = 0; n < waiting; n += 100) {
    const ids = Array.from({ length: 100 }, (_, m) => jobId(n + m + 1, start - waiting + n + m));
    await table.submitTransaction(
      ids.map((id, m) => [
        "create",
        { partitionKey: "jobs", rowKey: `group_long_queue_${start - waiting + n + m}_${id}`, name: "x", limit: 1 },
      ]),
    );
  }
}

it("of ten thousand that wait the next is picked in as many calls as of one", { timeout: 120_000 }, async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock } = bench;
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = bench.calls().length;
    await work();
    return bench.calls().length - before;
  };
  const submitted = async (name: string, group: string): Promise<JobId> => {
    const { id } = await post(deps, yaml(name), group === "" ? "" : `group=${group}&groupLimit=1`);
    clock.advance(second);
    return id;
  };
  const admission = async (id: JobId): Promise<number> => {
    const job = await jobOf(deps, id);
    return count(() => admit(deps, job));
  };
  await admission(await submitted("first", ""));
  const plain = await admission(await submitted("plain", ""));
  const [one, runs] = [await submitted("one", "short"), await submitted("runs", "long")];
  await submitted("other", "short");
  for (const id of [one, runs]) expect(await admission(id)).toBe(plain + 2);
  await fill(bench);
  const last = await submitted("last", "long");

  const release = (group: string, id: JobId) => count(() => deps.groups.release({ group, id }));
  const ofOne = await release("short", one);
  expect(ofOne).toBe(2);
  expect(await admission(last)).toBeLessThanOrEqual(plain + 3);
  expect(await release("long", runs)).toBe(ofOne);
  const [holder] = await deps.groups.slots("long", 1);
  expect(holder?.id).toBe(jobId(1, start - waiting));
  if (holder === undefined) throw new Error("no holder");
  const given = memberOf({ ...(await jobOf(deps, last)), id: holder.id, createdAt: start - waiting });
  if (given === undefined) throw new Error("no member");
  expect(await count(() => deps.groups.seek(given, true))).toBe(1);
  const refused = await count(() => post(deps, yaml("refused"), "group=long&groupLimit=9&onGroupFull=reject"));
  const accepted = await count(() => post(deps, yaml("accepted"), "group=new&groupLimit=9&onGroupFull=reject"));
  expect(refused).toBeLessThanOrEqual(accepted);
});
