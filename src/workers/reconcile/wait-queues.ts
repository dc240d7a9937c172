import { regionKey } from "../../shared/limits/rate-budget.ts";
import type { JobTarget } from "../../shared/job/job.ts";

/** Lines for what is not a name: no group's name begins with a tilde. Where teams share, each has a line of its own for creates. */
export const createQueue = (placed: JobTarget, team?: string): string =>
  `~create-${placed.subscriptionId}-${regionKey(placed.location)}${team === undefined ? "" : `~${team.replaceAll("_", "=")}`}`;
export const capacityQueue = (placed: JobTarget): string =>
  `~room-${placed.subscriptionId}-${regionKey(placed.location)}`;
