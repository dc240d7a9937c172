import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { definitionOf, hostKey, type LiveStack, type Simulated } from "./live-stack.ts";

const headers = { "x-functions-key": hostKey };
const accepted = z.object({ id: z.string() });
const recordShape = z.object({
  state: z.string(),
  groupDeleted: z.boolean().optional(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  history: z.array(z.object({ at: z.string(), to: z.string() })),
});

const hostOf = ({ hosts: [host] }: LiveStack): string => host?.url ?? "";

export async function submit(stack: LiveStack, job: Simulated): Promise<string> {
  const answer = await fetch(`${hostOf(stack)}/api/trigger?polling=true`, {
    method: "POST",
    headers,
    body: definitionOf(job),
  });
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
  return accepted.parse(await answer.json()).id;
}

/** Milliseconds since 1970, by the row. */
export interface Course {
  readonly createdAt: number;
  /** When the row said so that the group is about to be created. */
  readonly provisioningAt: number;
  readonly endSeenAt: number;
}

/** The course of a job that has ended and whose group is gone; undefined before. */
export async function courseOf(stack: LiveStack, id: string): Promise<Course | undefined> {
  const answer = await fetch(`${hostOf(stack)}/api/jobs/${id}`, { headers });
  if (answer.status === 503) return undefined; // to be asked again, as every caller does
  if (!answer.ok) throw new Error(`Job ${id}: ${answer.status} ${await answer.text()}`);
  const { state, createdAt, history, groupDeleted } = recordShape.parse(await answer.json());
  if (!["Succeeded", "Failed", "TimedOut", "Stopped", "Canceled"].includes(state) || groupDeleted !== true)
    return undefined;
  if (state !== "Succeeded") throw new Error(`Job ${id} is ${state}.`);
  const at = (to: string): number => Date.parse(history.find((move) => move.to === to)?.at ?? "");
  return { createdAt: Date.parse(createdAt), provisioningAt: at("Provisioning"), endSeenAt: at("Succeeded") };
}

/** Waits for all of them. @param limit milliseconds */
export async function coursesOf(stack: LiveStack, ids: readonly string[], limit: number): Promise<readonly Course[]> {
  const end = performance.now() + limit;
  const courses: Course[] = [];
  for (const id of ids)
    for (;;) {
      const course = await courseOf(stack, id);
      if (course !== undefined) {
        courses.push(course);
        break;
      }
      if (performance.now() > end) throw new Error(`Job ${id} has not ended in ${limit / 1000} s.`);
      await sleep(250);
    }
  return courses;
}
