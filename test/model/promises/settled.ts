import { minute } from "../../../src/shared/base/duration.ts";
import { nameKey, type JobId } from "../../../src/shared/base/ids.ts";
import { hasEnded } from "../../../src/shared/job/job.ts";
import { queueNames } from "../../../src/shared/store/queues.ts";
import type { Ledger } from "../ledger.ts";
import type { Entity } from "../tables.ts";
import { isTaggedOurs } from "../settings.ts";
import { budgetSettled } from "./teams.ts";

/** Everything comes to rest: every job ends, and nothing is left of it but its row. */

export function allDone(ledger: Ledger): boolean {
  const rows = ledger.rows.every(({ phase }) => hasEnded(phase) && phase.group === "gone");
  if (!rows || ledger.world.queue.all.some(({ queue }) => queue === queueNames.jobs)) return false;
  return unfinished(ledger) === "";
}

/** What is left to do. */
export function unfinished(ledger: Ledger): string {
  const rows = ledger.rows.filter(({ phase }) => !hasEnded(phase) || phase.group !== "gone" || !phase.tidy);
  const groups = ledger.world.aci.all.filter(({ tags }) => isTaggedOurs(tags));
  return [
    ...rows.map(({ id, phase }) => `job ${id} is ${JSON.stringify(phase)}`),
    ...groups.map(({ name }) => `group ${name}`),
    ...ledger.index("job_").map(({ rowKey }) => rowKey),
    // A look that was overtaken by its job's end may have left it in a line: the sweep calls it up, and it is gone.
    ...ledger.index("wait_~").map(({ rowKey }) => rowKey),
    ...namesOfMoved(ledger).map(({ rowKey }) => rowKey),
    ...ledger.index("group_").map(({ rowKey }) => rowKey),
  ].join(", ");
}

/** What a host that died as it moved a job left: the sweep finds it within ten minutes. */
function namesOfMoved(ledger: Ledger): readonly Entity[] {
  const names = [...ledger.index("hold_"), ...ledger.index("wait_")];
  return names.filter(({ jobId }) => ledger.preferred.has(String(jobId)));
}

/** When the timer has something to do: a due job, somebody in a line, a group to be swept. */
export function nextCheck(ledger: Ledger): number {
  const checks = ledger.index("job_").map(({ checkAt }) => (checkAt instanceof Date ? checkAt.getTime() : Infinity));
  const names = checks.length > 0 ? [] : namesOfMoved(ledger);
  const lines =
    [...names, ...ledger.index("wait_~"), ...ledger.index("group_")].length > 0 ||
    ledger.world.aci.all.some(({ tags }) => isTaggedOurs(tags));
  return Math.min(...checks, lines ? ledger.now + minute : Infinity);
}

/** After everything has come to rest. */
export function allSettled(ledger: Ledger): void {
  const left = [...ledger.index("hold_"), ...ledger.index("wait_"), ...ledger.index("group_")];
  for (const { rowKey } of left) ledger.violated(`${rowKey} was left behind`);
  budgetSettled(ledger);
  const answered = (id: JobId): boolean =>
    ledger.posts.some(
      (post) => post.id === id && ledger.world.queue.replies.some((text) => text.includes(`"${post.correlationId}"`)),
    );
  // Of several posts under one id the first is the job.
  for (const { id, correlationId } of ledger.posts)
    if (!answered(id)) ledger.violated(`the poster of ${correlationId} never hears of its end`);
  for (const { text } of ledger.world.queue.poisoned) ledger.violated(`a good message was given up: ${text}`);
  for (const name of ledger.foreignNames) {
    const foreign = ledger.world.aci.all.filter((group) => nameKey(group.name) === name && !isTaggedOurs(group.tags));
    if (foreign.length !== 1) ledger.violated(`the foreign group ${name} is gone`);
  }
}
