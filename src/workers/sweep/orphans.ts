import { minute } from "../../shared/base/duration.ts";
import { ownerOf } from "../../shared/aci/arm-group.ts";
import type { Deps } from "../../shared/deps.ts";
import { isMinted, mintedAt, parseJobId, type JobId } from "../../shared/base/ids.ts";
import { hasEnded, type Placed } from "../../shared/job/job.ts";

/**
 * Groups of ours that no job knows any more: a create that came late, or whose job's row is gone. Only groups with our installation's
 * tag are touched. It fails closed: a failed or partial list, or a row that can't be read, removes nothing.
 */
const grace = 15 * minute;

export async function sweepOrphans(deps: Deps): Promise<number> {
  const { aci, installation } = await deps.aci();
  if (installation.refusal !== undefined) return 0;
  let found = 0;
  for (const target of await deps.control.targets(deps.settings.targets)) {
    const list = await aci.list(target);
    if (list.kind !== "value") {
      deps.log("warn", "orphan sweep without a list", { resourceGroup: target.resourceGroup, kind: list.kind });
      continue;
    }
    for (const group of list.value) {
      const owner = ownerOf(group, installation.id);
      const id = owner.kind === "ours" ? parseJobId(owner.jobId) : undefined;
      if (id === undefined || typeof group.name !== "string") continue;
      const placed: Placed = { ...target, location: group.location ?? target.location ?? "" };
      if (await isOrphan(deps, id, { placed, name: group.name })) found++;
    }
  }
  return found;
}

/** A group whose row lives is the row's business: waking it is enough. One without a row is deleted, once it is old enough. */
async function isOrphan(
  deps: Deps,
  id: JobId,
  group: { readonly placed: Placed; readonly name: string },
): Promise<boolean> {
  const stored = await deps.jobs.find(id);
  if (stored !== undefined) {
    const { phase } = stored.job;
    const late = hasEnded(phase) && phase.group === "gone";
    if (!late) return false;
    deps.log("warn", "group of an ended job", { job: id, group: group.name });
    await deps.jobs.change(id, (job) =>
      hasEnded(job.phase) && job.phase.group === "gone"
        ? { job: { ...job, placed: group.placed, phase: { ...job.phase, group: "present", tidy: false } } }
        : undefined,
    );
    await deps.queues.wake(id, undefined, 0);
    return true;
  }
  const now = deps.now();
  const born = isMinted(id) ? mintedAt(id) : await deps.control.firstSeen(id, now);
  if (now < born + grace) return false;
  deps.log("warn", "group without a job", { job: id, group: group.name });
  const { aci } = await deps.aci();
  await aci.remove(group.placed, group.name);
  return true;
}
