import { second } from "../base/duration.ts";
import type { Job } from "./job.ts";

/** What ACI bills a job for, as an estimate: from each create to that attempt's end, for what was asked for. Pure. */
export interface Usage {
  readonly vcpuSeconds: number;
  readonly gbSeconds: number;
}

export function usageOf({ attempts, cpu, memoryGB }: Pick<Job, "attempts" | "cpu" | "memoryGB">): Usage {
  const billed = attempts.reduce(
    (sum, { provisioningAt, finishedAt }) =>
      sum + (provisioningAt === undefined ? 0 : Math.max(0, finishedAt - provisioningAt) / second),
    0,
  );
  return { vcpuSeconds: billed * cpu, gbSeconds: billed * memoryGB };
}
