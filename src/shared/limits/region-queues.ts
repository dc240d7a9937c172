import { defaultTeam } from "../config/teams.ts";
import type { JobTarget } from "../job/job.ts";

/** Lines for what is not a name: no group's name begins with a tilde. Where teams share, each has a line of its own for creates. */
export const createQueue = (placed: JobTarget, team?: string): string =>
  `~create-${placed.subscriptionId}-${regionKey(placed.location)}${team === undefined ? "" : `~${team.replaceAll("_", "=")}`}`;
export const capacityQueue = (placed: JobTarget): string =>
  `~room-${placed.subscriptionId}-${regionKey(placed.location)}`;

interface RegionQueue {
  readonly kind: string;
  /** Its resource group does not matter to a limit. */
  readonly placed: JobTarget;
  readonly team: string;
}

/** The region in a wait queue's name, and the team whose line it is. */
export function regionQueueIn(queue: string): RegionQueue | undefined {
  const [, kind, subscriptionId, location, team = defaultTeam] =
    /^~(create|room)-([0-9a-f-]{36})-([a-z0-9]+)(?:~([\w.=-]+))?$/.exec(queue) ?? [];
  if (kind === undefined || subscriptionId === undefined || location === undefined) return undefined;
  return { kind, placed: { subscriptionId, resourceGroup: "", location }, team: team.replaceAll("=", "_") };
}

/** `West Europe` and `westeurope` are one region. */
export function regionKey(location: string): string {
  return location.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
