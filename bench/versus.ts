import { median, rounded, type Plan } from "./benchmark.ts";
import { load, type Load, type Request } from "./load.ts";

/** The app against its floor, in the same run: round by round one after the other, so that both meet the same weather. */
export interface Versus {
  readonly connections: number;
  readonly floor: Load;
  readonly app: Load;
  /** The app's answers a second over the floor's: median of the rounds, and the extremes. */
  readonly ratio: number;
  readonly ratioRange: readonly [least: number, most: number];
  readonly rounds: number;
}

const warmUpSeconds = 4;

export async function versus(floor: Request, app: Request, connections: number, plan: Plan): Promise<Versus> {
  for (const side of [floor, app]) await load(side, connections, warmUpSeconds);
  const floors: Load[] = [];
  const apps: Load[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    // Who goes first changes, so that a table that grows is to nobody's advantage.
    const floorFirst = round % 2 === 0;
    if (floorFirst) floors.push(await load(floor, connections, plan.seconds));
    apps.push(await load(app, connections, plan.seconds));
    if (!floorFirst) floors.push(await load(floor, connections, plan.seconds));
  }
  const ratios = apps.map((each, round) => each.perSecond / (floors[round]?.perSecond ?? NaN));
  return {
    connections,
    floor: middle(floors),
    app: middle(apps),
    ratio: rounded(median(ratios), 3),
    ratioRange: [rounded(Math.min(...ratios), 3), rounded(Math.max(...ratios), 3)],
    rounds: plan.rounds,
  };
}

function middle(loads: readonly Load[]): Load {
  const of = (read: (each: Load) => number): number => rounded(median(loads.map(read)), 1);
  return { perSecond: of((each) => each.perSecond), p50: of((each) => each.p50), p99: of((each) => each.p99) };
}

export function shown({ connections, floor, app, ratio, ratioRange: [least, most] }: Versus): string {
  const side = ({ perSecond, p50 }: Load): string => `${perSecond.toFixed(0).padStart(5)}/s p50 ${p50} ms`;
  return `${String(connections).padStart(3)} connections: floor ${side(floor)}, app ${side(app)}, ratio ${ratio} (${least} to ${most})`;
}
