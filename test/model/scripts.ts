import { z } from "zod";

/** What the platform does to the group of an attempt, beside what its programs do: as people met it. */
const script = z.discriminatedUnion("does", [
  /** ACI does not say what `app` ended with. `says`: the group's own word then. `stopTells`: what a stop brings to light. */
  z.object({
    does: z.literal("silence"),
    says: z.enum(["Running", "Succeeded", "Failed"]),
    stopTells: z.number().optional(),
    attempts: z.number().optional(),
  }),
  /** `app` is started again after a failure, and succeeds then. */
  z.object({ does: z.literal("restart"), attempts: z.number().optional() }),
  /** `app` is killed half-way, by maintenance or because Spot capacity is reclaimed, and may be started again. */
  z.object({
    does: z.literal("evict"),
    code: z.number().optional(),
    restarts: z.boolean(),
    attempts: z.number().optional(),
  }),
  /** Nothing is ever started. */
  z.object({
    does: z.literal("fail"),
    why: z.enum(["quota", "capacity", "image", "mount", "start", "unknown"]),
    attempts: z.number().optional(),
  }),
]);
/** In the first `attempts` attempts, or in all. */
export type Script = z.infer<typeof script>;

/** The script of an attempt, from its group's tag. */
export function readScript(tag: string | undefined, attempt: number): Script | undefined {
  if (tag === undefined || tag === "") return undefined;
  return scriptOf(script.parse(JSON.parse(tag)), attempt);
}

export function scriptOf(of: Script | undefined, attempt: number): Script | undefined {
  return of !== undefined && attempt <= (of.attempts ?? Infinity) ? of : undefined;
}
