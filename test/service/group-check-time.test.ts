import { expect, it } from "vitest";
import { second } from "../../src/shared/base/duration.ts";
import { mintJobId } from "../../src/shared/base/ids.ts";
import { partition } from "../../src/shared/store/index-partition.ts";
import { checkGroups } from "../../src/workers/sweep/group-slots.ts";
import { groupsIn } from "./groups-kit.ts";
import { openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

it("the check of a group with very many slots to give back ends in time, and the next one goes on", async () => {
  const bench = await openBench();
  const { deps, storage } = bench;
  const { id: holder } = await post(deps, yaml("holder"), "group=g");
  const table = storage.table("jobindex");
  const slots = Array.from({ length: 30 }, (_, n) => mintJobId(deps.now(), new Uint8Array(10).fill(n)));
  for (const id of slots) await table.createEntity({ partitionKey: partition, rowKey: `group_g_slot_${id}` });
  // Each look at the clock takes a second.
  let looks = 0;
  const slow = { ...deps, now: () => deps.now() + second * looks++ };
  expect(await checkGroups(slow, deps.now() + 15 * second)).toMatchObject({ kind: "unfinished" });
  const left = (await groupsIn(bench))["g"]?.slots.length ?? 0;
  expect(left).toBeGreaterThan(10);
  expect(left).toBeLessThan(30);
  expect(await checkGroups(deps, deps.now() + 15 * second)).toMatchObject({ kind: "completed" });
  expect((await groupsIn(bench))["g"]?.slots).toEqual([holder]);
});
