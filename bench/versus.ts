import type { Plan } from "./benchmark.ts";
import { load, type Load } from "./load.ts";
import { processorTime } from "./process.ts";
import type { Service, Side, SideName } from "./service.ts";

/** A round's load, and what it took of the host's processor for each call. */
export interface Measured extends Load {
  readonly processorMilliseconds: number;
}

/** What each side did in one round. */
export type Round = Readonly<Record<SideName, Measured>>;

const sides = ["floor", "bare", "app"] as const;
/** A new process runs slower until its code is compiled, and the more code it has, the longer: a service runs for hours. */
const warmUpSeconds = 5;

/**
 * The app against its floors, round by round one after the other, so that all met the same weather. Each round has new Azurites and new
 * processes: tables that grow are slower.
 */
export async function versus(
  start: () => Promise<Service>,
  call: "accept" | "status" | "link" | "readKey",
  connections: number,
  plan: Plan,
): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const service = await start();
    try {
      const measured = async (side: Side): Promise<Measured> => {
        await load(side[call], connections, warmUpSeconds);
        const before = processorTime(side.pid);
        const result = await load(side[call], connections, plan.seconds);
        return { ...result, processorMilliseconds: (1000 * (processorTime(side.pid) - before)) / result.calls };
      };
      const found: Partial<Record<SideName, Measured>> = {};
      // Who goes first changes.
      for (let turn = 0; turn < sides.length; turn++) {
        const side = sides[(round + turn) % sides.length] ?? "app";
        found[side] = await measured(service[side]);
      }
      const { app, floor, bare } = found;
      if (app && floor && bare) rounds.push({ app, floor, bare });
    } finally {
      await service.stop();
    }
  }
  return rounds;
}
