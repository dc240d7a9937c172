import type { Plan } from "./benchmark.ts";
import { load, type Load } from "./load.ts";
import { processorTime } from "./process.ts";
import type { Service, Side } from "./service.ts";

/** A round's load, and what it took of the host's processor for each call. */
export interface Measured extends Load {
  readonly processorMilliseconds: number;
}

export interface Pair {
  readonly app: Measured;
  readonly floor: Measured;
}

const warmUpSeconds = 3;

/**
 * The app against its floor, round by round one after the other, so that both meet the same weather. Each round has a new Azurite and
 * new hosts: tables that grow are slower, and to nobody's advantage.
 */
export async function versus(
  start: () => Promise<Service>,
  call: "accept" | "status" | "link" | "readKey",
  connections: number,
  plan: Plan,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const service = await start();
    try {
      const measured = async (side: Side): Promise<Measured> => {
        const before = processorTime(side.pid);
        const result = await load(side[call], connections, plan.seconds);
        return { ...result, processorMilliseconds: (1000 * (processorTime(side.pid) - before)) / result.calls };
      };
      for (const side of [service.floor, service.app]) await load(side[call], connections, warmUpSeconds);
      // Who goes first changes.
      const first = round % 2 === 0 ? "floor" : "app";
      const one = await measured(service[first]);
      const other = await measured(service[first === "app" ? "floor" : "app"]);
      pairs.push(first === "app" ? { app: one, floor: other } : { app: other, floor: one });
    } finally {
      await service.stop();
    }
  }
  return pairs;
}
