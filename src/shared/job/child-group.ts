import { groupName, type GroupName } from "../base/ids.ts";
import type { Job } from "./job.ts";

/** The name of a child's container group: that of its array, and the child's index, or its number where it is a pack. */
export function childGroupName(
  ofArray: GroupName,
  child: Pick<NonNullable<Job["child"]>, "index" | "items">,
): GroupName {
  return groupName(`${ofArray}${suffixOf(child)}`);
}

/** The name that the array of a child holds; `undefined` of any other job. */
export function groupNameOfArray({ groupName: own, child }: Pick<Job, "groupName" | "child">): GroupName | undefined {
  return child === undefined ? undefined : groupName(own.slice(0, -suffixOf(child).length));
}

function suffixOf({ index, items }: Pick<NonNullable<Job["child"]>, "index" | "items">): string {
  return `-${items === undefined ? "" : "p"}${index}`;
}
