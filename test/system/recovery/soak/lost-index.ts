import { z } from "zod";
import { second } from "../../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../../src/shared/job/job.ts";
import { mark, partition } from "../../../../src/shared/store/index-partition.ts";
import { statusOfError, tableNames } from "../../../../src/shared/store/connect.ts";
import type { World } from "../world.ts";
import { definitionOf, waitingPlan, type Plan } from "./plans.ts";

/** How long nobody notices: longer than a row may be on its way. */
const outage = 90 * second;

export interface IndexLoss {
  /** Messages that came while the index was lost. */
  readonly plans: readonly Plan[];
  /** What was done meanwhile, and must not be. */
  readonly faults: readonly string[];
}

/**
 * Somebody wipes the job index while jobs run. Until it is rebuilt nothing is accepted, messages wait, no name is taken, and the jobs
 * that run go on to their end; then an operator rebuilds it.
 */
export async function loseIndex(world: World, enough: number): Promise<IndexLoss> {
  const running = new Set((await world.rows()).flatMap(({ id, state }) => (state === "Running" ? [id] : [])));
  const began = performance.now();
  await wipe(world);
  const plans = Array.from({ length: 5 }, (_, n) => waitingPlan(n));
  const queue = world.storage.queues.getQueueClient("aci-jobs");
  await Promise.all(plans.map((plan) => queue.sendMessage(definitionOf(plan))));

  const faults: string[] = [];
  const refused = async (): Promise<true | undefined> => {
    const reply = await world.call("POST", "trigger", definitionOf(waitingPlan(plans.length)));
    if (reply !== undefined && reply.status < 300) faults.push(`accepted: ${reply.text}`);
    return reply?.status === 503 && codeOf(reply.text) === "IndexLost" ? true : undefined;
  };
  await world.until("the refusal of a job without an index", refused, enough);
  const oneEnds = async (): Promise<true | undefined> => {
    const isLongEnough = performance.now() > began + world.ours(outage);
    const rows = isLongEnough ? await world.rows() : [];
    const ended = rows.filter(({ id, state }) => running.has(id) && terminalStates.some((each) => each === state));
    return isLongEnough && (running.size === 0 || ended.length > 0) ? true : undefined;
  };
  await world.until("the end of a job without an index", oneEnds, enough);

  const names = new Set(plans.map(({ name }) => name));
  faults.push(...(await world.index("hold_")).map((rowKey) => `taken: ${rowKey}`));
  faults.push(...(await world.rows()).filter(({ name }) => names.has(name)).map(({ name }) => `begun: ${name}`));
  const rebuilt = async (): Promise<true | undefined> =>
    (await world.call("POST", "reindex"))?.status === 200 ? true : undefined;
  await world.until("the rebuild of the index", rebuilt, enough);
  return { plans, faults };
}

/** The mark goes first: from then on nobody adds what must not be there. */
async function wipe({ storage }: World): Promise<void> {
  const table = storage.table(tableNames.index);
  await table.deleteEntity(partition, mark);
  const rows = table.listEntities({ queryOptions: { select: ["RowKey"] } });
  // A job that ends has taken its entry out itself.
  for await (const { rowKey } of rows)
    await table.deleteEntity(partition, String(rowKey)).catch((error: unknown) => {
      if (statusOfError(error) !== 404) throw error;
    });
}

const refusal = z.object({ code: z.string() });

function codeOf(text: string): string | undefined {
  try {
    return refusal.safeParse(JSON.parse(text)).data?.code;
  } catch {
    return undefined;
  }
}
