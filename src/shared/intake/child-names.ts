import type { Refusal } from "../base/errors.ts";
import { groupName, type GroupName } from "../base/ids.ts";
import { hasEnded } from "../job/job.ts";
import type { JobStore } from "../store/jobs.ts";

/** An array can't have the name that a child of another one has, or will have. Only a name that ends in a number costs reads. */
export async function childWithName(
  { jobs }: { readonly jobs: JobStore },
  name: GroupName,
): Promise<Refusal | undefined> {
  const [, stem = "", number = ""] = /^(.+)-(0|[1-9]\d{0,3})$/.exec(name) ?? [];
  const lock = stem === "" ? undefined : await jobs.index.lockOf(groupName(stem));
  const other = lock && (await jobs.peek(lock.lockedBy))?.job;
  if (other?.array === undefined || hasEnded(other.phase) || Number(number) >= other.array.size) return undefined;
  // Groups of packs have other names.
  if (other.array.packing !== undefined) return undefined;
  const message = `This is the name of the group of index ${number} of another array, which is active; give another name.`;
  return { code: "InvalidDefinition", message, errors: [{ path: "name", line: 1, column: 1, message }] };
}
