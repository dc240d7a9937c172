import { parseJobId, type JobId } from "../base/ids.ts";
import type { Job } from "./job.ts";
import type { ObservedGroup } from "./observation.ts";
import { isSameGroup } from "./observed-group.ts";

/**
 * Whose a group of a job's name is. Only tags prove that it is the job's: this installation's (whose value fits the group's name),
 * the job's and the attempt's. In doubt a group is foreign, and a foreign group is never touched.
 *
 * - `this attempt`: ours.
 * - `another attempt`: ours, left behind or come back.
 * - `another job`: of this installation.
 * - `foreign`: everything else.
 */
export type Whose =
  | { readonly kind: "this attempt" | "another attempt" | "foreign" }
  | { readonly kind: "another job"; readonly id: JobId | undefined };

/** A group whose tags are gone stays ours only if this attempt saw it with them, never saw it absent since, and it is the same. */
export function whose(job: Pick<Job, "id" | "attempt" | "observed">, group: ObservedGroup, wasAbsent: boolean): Whose {
  const { owner } = group;
  switch (owner.kind) {
    case "foreign":
      return { kind: "foreign" };
    case "untagged":
      return { kind: !wasAbsent && isSameGroup(group, job.observed) ? "this attempt" : "foreign" };
    case "ours":
      if (owner.jobId !== job.id) return { kind: "another job", id: parseJobId(owner.jobId) };
      return { kind: owner.attempt === job.attempt ? "this attempt" : "another attempt" };
  }
}
