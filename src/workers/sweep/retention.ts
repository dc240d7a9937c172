import { day } from "../../shared/base/duration.ts";
import { cancelKept } from "../../shared/intake/cancel.ts";
import type { Deps } from "../../shared/deps.ts";
import { hasEnded } from "../../shared/job/job.ts";
import type { TurnEnd } from "../../shared/store/turns.ts";

/**
 * What is kept only for a time: sealed definitions, captured logs, rows. In small steps, oldest first; a step that fails is made again
 * next time. No row goes while its group may exist.
 */
const mostPerStep = 200;
/** The name of a sealed message that was dealt with: its second delivery comes within minutes. */
const parcelKept = day;

export async function sweepRetention(deps: Deps): Promise<TurnEnd> {
  const { definitionRetention, logRetention, rowRetention } = deps.settings;
  const now = deps.now();
  await deps.jobs.index.dropCancels(now - cancelKept);
  await deps.held.dropStale(now);
  await deps.blobs.dropParcels(now - parcelKept);
  await each(deps, "hasDefinition eq true", now - definitionRetention, async (id) => {
    await deps.blobs.dropSealed(id);
    await deps.jobs.change(id, (job) => ({ job, sealed: { definition: undefined, callbacks: undefined } }));
  });
  await each(deps, "hasLogs eq true", now - logRetention, async (id) => {
    await deps.blobs.dropLogs(id);
    await deps.jobs.change(id, (job) => ({ job: { ...job, logsDropped: true } }));
  });
  await each(deps, "", now - rowRetention, async (id) => {
    const stored = await deps.jobs.find(id);
    if (stored === undefined || !hasEnded(stored.job.phase) || stored.job.phase.group !== "gone") return;
    await deps.blobs.dropLogs(id);
    await deps.blobs.dropSealed(id);
    await deps.attempts.drop(id);
    await deps.jobs.index.forget(stored.job, stored.key);
    await deps.jobs.remove(stored.key);
  });
  return { kind: "completed", cursor: undefined };
}

/** Jobs that ended before a time; a job may have been accepted as long before that as it may last. */
async function each(
  deps: Deps,
  filter: string,
  endedBefore: number,
  step: (id: Parameters<Deps["jobs"]["find"]>[0]) => Promise<void>,
): Promise<void> {
  const from = filter === "" ? 0 : endedBefore - deps.settings.maxTimeout - 2 * day;
  for (const id of await deps.jobs.endedBefore(from, endedBefore, filter, mostPerStep)) await step(id);
}
