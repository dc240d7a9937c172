import { groupName, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { hasEnded, type Job } from "../job/job.ts";
import { fromRow, idIn, type JobKey } from "./job-row.ts";

/** A row as far as the index needs it; without `job` where its record can't be read. */
export interface Row {
  readonly id: JobId;
  readonly key: JobKey;
  readonly name: GroupName;
  readonly groupName: GroupName;
  readonly createdAt: number;
  readonly job: Job | undefined;
  readonly mayHaveGroup: boolean;
  readonly isDone: boolean;
}

export function rowOf(row: Readonly<Record<string, unknown>>): Row | undefined {
  const { partitionKey, rowKey } = row;
  if (typeof partitionKey !== "string" || typeof rowKey !== "string") return undefined;
  const key = { partitionKey, rowKey };
  const id = parseJobId(idIn(key));
  if (id === undefined) return undefined;
  try {
    const { job } = fromRow(row);
    const { phase, name, createdAt } = job;
    const isGone = hasEnded(phase) && phase.group === "gone";
    const isTold = [job.callback, job.reply].every(({ state }) => state !== "pending");
    const mayHaveGroup = phase.state !== "Queued" && !isGone;
    return {
      id,
      key,
      name,
      groupName: job.groupName,
      createdAt,
      job,
      mayHaveGroup,
      isDone: isGone && phase.tidy && isTold,
    };
  } catch {
    return unreadableRow(row, id, key);
  }
}

/** Of a row whose record can't be read its columns tell enough to keep its name from others. */
function unreadableRow(row: Readonly<Record<string, unknown>>, id: JobId, key: JobKey): Row | undefined {
  const { name, groupName: group, createdAt, state, groupDeleted } = row;
  if (typeof name !== "string") return undefined;
  return {
    id,
    key,
    name: groupName(name),
    groupName: groupName(typeof group === "string" ? group : name),
    createdAt: createdAt instanceof Date ? createdAt.getTime() : 0,
    job: undefined,
    mayHaveGroup: groupDeleted !== true && state !== "Queued",
    isDone: groupDeleted === true,
  };
}
