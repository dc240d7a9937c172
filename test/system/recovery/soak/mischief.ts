import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { second } from "../../../../src/shared/base/duration.ts";
import { parseJobId } from "../../../../src/shared/base/ids.ts";
import { keyOfMinted, type JobKey } from "../../../../src/shared/store/job-row.ts";
import type { World } from "../world.ts";
import { foreignGroup, type Plan } from "./plans.ts";

/** Somebody else's group, as he made it. */
export interface Foreign {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** How often he created it. */
  readonly creates: number;
}

/** Does with a job what its plan says, once it runs; a group that came of it. */
export async function meddle(world: World, plan: Plan, id: string, enough: number): Promise<Foreign | undefined> {
  if (plan.mischief === "none") return undefined;
  const key = keyOf(id);
  const running = async () => {
    const row = await world.row(key);
    return ["Queued", "Provisioning", "Pending"].includes(row.state) ? undefined : row;
  };
  const { state } = await world.until(`the start of ${plan.name}`, running, enough);
  if (state !== "Running") return undefined;
  switch (plan.mischief) {
    case "cancel":
      await world.until(
        `the cancel of ${plan.name}`,
        async () => ((await world.call("DELETE", `delete/${id}`))?.status === 200 ? true : undefined),
        enough,
      );
      return undefined;
    case "spoil":
      await spoil(world, key);
      return undefined;
    case "replace":
      await again(async () => (await world.arm("DELETE", plan.name)).status < 300);
      return make(world, plan.name, { owner: "somebody else" });
    case "copy":
      return make(world, `copy-of-${plan.name}`, await tagsOf(world, plan.name));
  }
}

async function make(world: World, name: string, tags: Readonly<Record<string, string>>): Promise<Foreign> {
  let creates = 0;
  await again(async () => {
    const { status, body } = await world.arm("PUT", name, foreignGroup(tags));
    if (status === 400) throw new TypeError(JSON.stringify(body));
    if (status < 300) creates++;
    return status < 300;
  });
  return { name, tags, creates };
}

function keyOf(id: string): JobKey {
  const parsed = parseJobId(id);
  const key = parsed && keyOfMinted(parsed);
  if (key === undefined) throw new Error("The id is the service's.");
  return key;
}

/** Takes the row's record away for a minute of the world's time. */
async function spoil(world: World, key: JobKey): Promise<void> {
  const table = world.storage.table("jobs");
  let record: unknown;
  await again(async () => {
    const row = await table.getEntity(key.partitionKey, key.rowKey);
    record = row["record"];
    await table.updateEntity({ ...key, record: "{" }, "Merge", { etag: row.etag });
    return true;
  });
  await delay(world.ours(60 * second));
  await table.updateEntity({ ...key, record }, "Merge");
}

const tagged = z.object({ tags: z.record(z.string(), z.string()) });

async function tagsOf(world: World, name: string): Promise<Readonly<Record<string, string>>> {
  let tags: Readonly<Record<string, string>> = {};
  await again(async () => {
    const { status, body } = await world.arm("GET", name);
    if (status === 200) ({ tags } = tagged.parse(body));
    return status === 200 || status === 404;
  });
  return tags;
}

/** Until it works: calls of somebody else fail as ours do, and a group that is being deleted refuses them for a while. */
async function again(attempt: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 600; n++) {
    const isDone = await attempt().catch((error: unknown) => {
      if (error instanceof TypeError && error.message.startsWith("{")) throw error;
      return false;
    });
    if (isDone) return;
    await delay(100);
  }
  throw new Error("Somebody else's call failed for a minute.");
}
