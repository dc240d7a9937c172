import { minute } from "../../shared/base/duration.ts";
import { Unreadable } from "../../shared/base/errors.ts";
import { ownerOf } from "../../shared/aci/arm-group.ts";
import { InstallationTag } from "../../shared/aci/installation-tag.ts";
import type { Deps } from "../../shared/deps.ts";
import { isMinted, mintedAt, nameKey, parseJobId, type JobId } from "../../shared/base/ids.ts";
import { hasEnded, type Job, type JobTarget } from "../../shared/job/job.ts";
import { reappeared } from "../../shared/job/transitions.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/**
 * Our own groups that no job knows any more: a create that came late, or whose job's row is gone. Only groups whose installation tag
 * is bound to their own name are touched, and of a job whose row is there only the group that the row names. It fails closed: a
 * failed or partial list, or a row that can't be read, removes nothing.
 */
const grace = 15 * minute;

/** @param from the last group that an earlier run looked at, when its time was up */
export async function sweepOrphans(deps: Deps, until: number, from: string | undefined): Promise<RunEnd> {
  const { aci, installation } = await deps.aci();
  if (installation.refusal !== undefined) return { kind: "completed", cursor: undefined };
  const tag = new InstallationTag(installation);
  let skipped = 0;
  const targets = await deps.control.targets(deps.settings.targets);
  for (const target of targets.toSorted((a, b) => inOrder(keyOf(a), keyOf(b)))) {
    if (from !== undefined && keyOf(target) < from && !from.startsWith(keyOf(target))) continue;
    const list = await aci.list(target);
    if (list.kind !== "value") {
      deps.log("warn", "orphan sweep without a list", { resourceGroup: target.resourceGroup, kind: list.kind });
      continue;
    }
    const named = list.value.flatMap((group) =>
      typeof group.name === "string" ? [{ ...group, name: group.name }] : [],
    );
    for (const group of named.toSorted((a, b) => inOrder(a.name, b.name))) {
      const at = `${keyOf(target)}${group.name}`;
      if (from !== undefined && at <= from) continue;
      const owner = ownerOf(group, { tag, place: { ...target, name: group.name } });
      const id = owner.kind === "ours" ? parseJobId(owner.jobId) : undefined;
      if (owner.kind !== "ours" || id === undefined) continue;
      const placed: JobTarget = { ...target, location: group.location ?? target.location ?? "" };
      try {
        await removeOrphan(deps, id, { placed, name: group.name, isBound: owner.isBound });
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        skipped++; // it has a row, so the group is that row's business
      }
      if (deps.now() >= until) return { kind: "unfinished", cursor: at };
    }
  }
  if (skipped > 0) deps.log("warn", "orphan sweep skipped groups of jobs that can't be read", { skipped });
  return { kind: "completed", cursor: undefined };
}

/** Groups' keys begin with their target's; a line break comes before whatever a name may have. */
function keyOf({ subscriptionId, resourceGroup }: Pick<JobTarget, "subscriptionId" | "resourceGroup">): string {
  return `${subscriptionId}\n${resourceGroup.toLowerCase()}\n`;
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A group whose row lives is the row's business: waking it is enough. One without a row is deleted, once it is old enough. */
async function removeOrphan(
  deps: Deps,
  id: JobId,
  group: { readonly placed: JobTarget; readonly name: string; readonly isBound: boolean },
): Promise<void> {
  const stored = await deps.jobs.find(id);
  if (stored !== undefined) {
    const { phase } = stored.job;
    const late = hasEnded(phase) && phase.group === "gone";
    if (!late || !isRowsGroup(stored.job, group)) return;
    deps.log("warn", "group of an ended job", { job: id, group: group.name });
    await deps.jobs.change(id, (job) =>
      hasEnded(job.phase) && job.phase.group === "gone"
        ? { job: { ...job, placed: group.placed, phase: reappeared(job.phase) } }
        : undefined,
    );
    await deps.queues.requeue(id, undefined, 0);
    return;
  }
  // The tag's old form does not name the group: without a row it proves nothing.
  if (!group.isBound) return;
  const now = deps.now();
  const born = isMinted(id) ? mintedAt(id) : await deps.control.firstObserved(id, now);
  if (now < born + grace) return;
  deps.log("warn", "group without a job", { job: id, group: group.name });
  const { aci } = await deps.aci();
  await aci.remove(group.placed, group.name);
}

function isRowsGroup(
  { groupName, placed }: Job,
  group: { readonly placed: JobTarget; readonly name: string },
): boolean {
  const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
  return (
    nameKey(groupName) === nameKey(group.name) &&
    same(placed?.subscriptionId, group.placed.subscriptionId) &&
    same(placed?.resourceGroup, group.placed.resourceGroup)
  );
}
