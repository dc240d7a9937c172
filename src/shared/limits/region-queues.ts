import { defaultTeam } from "../config/teams.ts";
import type { Job, JobTarget } from "../job/job.ts";
import { isSpot } from "../job/observed-group.ts";
import { regionKey } from "../job/targets.ts";

/** Spot groups have a quota and capacity of their own in a region ("Spot container group quota reached": `StandardSpotCores`). */
export type Pool = "regular" | "spot";

/** What a job's next group takes its place from. */
export function poolOf(job: Job): Pool {
  return isSpot(job) ? "spot" : "regular";
}

/** Lines for what is not a name: no group's name begins with a tilde. Where teams share, each has a line of its own for creates. */
export const createQueue = (placed: JobTarget, team?: string): string =>
  `~create-${placed.subscriptionId}-${regionKey(placed.location)}${team === undefined ? "" : `~${team.replaceAll("_", "=")}`}`;
export const capacityQueue = (placed: JobTarget, pool: Pool): string =>
  `~room-${placed.subscriptionId}-${regionKey(placed.location)}${pool === "spot" ? "~spot" : ""}`;

interface RegionQueue {
  readonly kind: string;
  /** Its resource group does not matter to a limit. */
  readonly placed: JobTarget;
  readonly team: string;
  readonly pool: Pool;
}

/** The region in a wait queue's name, and the team or pool whose line it is. */
export function regionQueueIn(queue: string): RegionQueue | undefined {
  const [, kind, subscriptionId, location, part = defaultTeam] =
    /^~(create|room)-([0-9a-f-]{36})-([a-z0-9]+)(?:~([\w.=-]+))?$/.exec(queue) ?? [];
  if (kind === undefined || subscriptionId === undefined || location === undefined) return undefined;
  const placed = { subscriptionId, resourceGroup: "", location };
  return {
    kind,
    placed,
    team: part.replaceAll("=", "_"),
    pool: kind === "room" && part === "spot" ? "spot" : "regular",
  };
}
