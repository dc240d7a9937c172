import { hour } from "../../../src/shared/base/duration.ts";
import type { Job } from "../../../src/shared/job/job.ts";
import type { Ledger } from "../ledger.ts";
import { specOf } from "../submissions.ts";

/** What teams share: of a limited one no more run than its limit, and each has its turn. */

/** A job of the team is created beside those that run. */
export function withinTeamLimit(ledger: Ledger, job: Job): void {
  const { team } = specOf(job).options;
  const limit = ledger.world.settings.teams.find(({ name }) => name === team)?.limit ?? Infinity;
  const running = ledger.rows.filter(
    (other) =>
      other.id !== job.id &&
      specOf(other).options.team === team &&
      ledger.groupsOf(other.id).some((one) => ledger.world.aci.runs(one)),
  );
  if (running.length >= limit)
    ledger.violated(`${job.id} was created beside ${running.length} others of ${team}, whose limit is ${limit}`);
}

/** Within this time, with no more jobs than there are here, everybody in a line for creates has one. */
const longestLine = 2 * hour;

export function calledUpInTime(ledger: Ledger, { id, phase }: Job): void {
  const { now, quietSince, resumedAt, pausedSince, world } = ledger;
  if (phase.state !== "Queued" || phase.waiting?.reason !== "CreateLimit" || pausedSince !== undefined) return;
  // With a way of requeuing taken away each step takes longer.
  if (world.without === "queue" || world.without === "timer") return;
  if (now > Math.max(phase.waiting.since, quietSince, resumedAt) + longestLine)
    ledger.violated(`${id} waits for a create since ${phase.waiting.since}`);
}

/** An attempt that ended counts with the time that it took: what still counts as running would use up this day. */
export function budgetSettled(ledger: Ledger): void {
  const today = new Date(ledger.now).toISOString().slice(0, 10);
  for (const { partitionKey, rowKey } of ledger.world.table("control").all())
    if (partitionKey === "budget" && rowKey.startsWith("daily~") && rowKey.includes(`~${today}_`))
      ledger.violated(`${rowKey} was left behind`);
}
