import { z } from "zod";
import { day, hour } from "../../src/shared/base/duration.ts";
import { childJobId, type JobId } from "../../src/shared/base/ids.ts";
import { endOfIndex } from "../../src/shared/job/array-outcomes.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { jobOf, post } from "../service/kit.ts";
import { packYaml } from "../service/packs-kit.ts";
import { PublishedWorld } from "./published-world.ts";

/**
 * The trial of packs: an array of items of a minute each, one of ten of which always fails, on the local ACI with Azure's published
 * limits, in simulated time.
 */
export interface PackingTrial {
  readonly items: number;
  /** Items in a group; without it each has one of its own. */
  readonly pack?: number;
  /** The minutes after which the platform interrupts every other group, again and again. */
  readonly interruptEvery?: number;
  /** The host dies around a call to storage, counted from the array's acceptance on. */
  readonly crash?: { readonly call: number; readonly when: "before" | "after" };
}

export interface PackingFigures {
  readonly creates: number;
  /** Simulated, from the call to the array's end. */
  readonly hours: number;
  readonly state: string;
  /** Items that did not end as they should. */
  readonly wrong: readonly number[];
  /** Items that ran again after they had ended with 0. */
  readonly ranAgain: readonly number[];
  readonly interrupted: number;
  /** Calls to storage after the acceptance. */
  readonly calls: number;
  /** No group was made twice. */
  readonly isEachOnce: boolean;
}

const isFailing = (index: number): boolean => index % 10 === 3;
const counters = z.object({ deploymentsByGroup: z.record(z.string(), z.number()) });

export async function packingTrial({ items, pack, interruptEvery, crash }: PackingTrial): Promise<PackingFigures> {
  const world = await PublishedWorld.open();
  try {
    const { now: begunAt, aci } = world;
    const array = Array.from({ length: items }, (_, index) => ({ seconds: 60, exit: isFailing(index) ? 7 : 0 }));
    const query = `${pack === undefined ? "" : `pack=${pack}&`}retries=1&array=${encodeURIComponent(JSON.stringify(array))}`;
    const reply = await post(world.deps, packYaml("nightly"), query);
    if (reply.status !== 200) throw new Error(reply.body.message);
    const callsBefore = world.calls;
    if (crash !== undefined) world.crashAt(crash.call, crash.when);
    let interrupted = 0;
    let minutes = 0;
    await world.work(begunAt + day, async () => {
      minutes++;
      if (interruptEvery !== undefined && minutes % interruptEvery === 0) {
        for (const [n, group] of [...aci.provider.all()].entries()) {
          if (n % 2 === 1) continue;
          group.deployment.interrupt("Platform");
          interrupted++;
        }
      }
      return hasEnded((await jobOf(world.deps, reply.id)).phase);
    });
    const { deps, calls } = world;
    const { phase } = await jobOf(deps, reply.id);
    const outcomes = await deps.jobs.outcomesOf(await jobOf(deps, reply.id));
    const indexes = array.map((_, index) => index);
    const creates = Object.values(counters.parse(aci.counters.view(null)).deploymentsByGroup);
    return {
      creates: creates.reduce((sum, each) => sum + each, 0),
      calls: calls - callsBefore,
      isEachOnce: creates.every((each) => each === 1),
      hours: (hasEnded(phase) ? phase.finishedAt - begunAt : Infinity) / hour,
      state: phase.state,
      wrong: indexes.filter((index) => endOfIndex(outcomes, index) !== (isFailing(index) ? "Failed" : "Succeeded")),
      ranAgain: pack === undefined ? [] : ranAgain(await packsIn(world, reply.id)),
      interrupted,
    };
  } finally {
    await world.aci.stop();
  }
}

async function packsIn({ deps }: PublishedWorld, id: JobId): Promise<readonly Job[]> {
  const { createdAt, array } = await jobOf(deps, id);
  const numbers = Array.from({ length: array?.packing?.next ?? 0 }, (_, number) => number);
  return Promise.all(numbers.map((number) => jobOf(deps, childJobId(id, createdAt, number))));
}

/** Items of packs that were made after they had ended with 0. */
function ranAgain(packs: readonly Job[]): readonly number[] {
  const good = new Set<number>();
  const again: number[] = [];
  for (const { child, containers, observed } of packs) {
    for (const [at, index] of (child?.items ?? []).entries()) {
      if (good.has(index)) again.push(index);
      if (observed.ends.some(({ container, exitCode }) => container === containers[at]?.name && exitCode === 0))
        good.add(index);
    }
  }
  return again;
}
