import { z } from "zod";
import { ArmError, transitioning } from "../arm/errors.ts";
import type { CallKind, Route } from "../arm/routes.ts";
import { courseSchemas, isCourse } from "../groups/course.ts";
import { KNOWN_CODES, DEFAULT_ANSWERS } from "./refusals.ts";

const seconds = z.number().nonnegative();

/** What a call gets, instead of the work or with it. */
const callSchemas = [
  /** An error instead of the work. Without a status, the code's own (refusals.ts); 500 where that is not known. */
  z.strictObject({
    type: z.literal("status"),
    status: z.number().int().min(400).max(599).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    retryAfter: seconds.optional(),
  }),
  z.strictObject({ type: z.literal("transitioning"), retryAfter: seconds.optional() }),
  /** A resource lock: DELETE is refused; `ReadOnly` refuses whatever changes the group, stop too. */
  z.strictObject({ type: z.literal("locked"), level: z.enum(["CanNotDelete", "ReadOnly"]).default("CanNotDelete") }),
  /** No answer ever; `after`: the work was done. */
  z.strictObject({ type: z.literal("silence"), when: z.enum(["before", "after"]).default("before") }),
  /** The connection is cut. */
  z.strictObject({ type: z.literal("drop"), when: z.enum(["before", "after"]) }),
  z.strictObject({ type: z.literal("slow"), seconds: z.number().positive() }),
  /** The work is done, and the reply is a page of HTML. */
  z.strictObject({ type: z.literal("notJson"), status: z.number().int().default(200) }),
  /** Times in the reply are off. */
  z.strictObject({ type: z.literal("clockSkew"), seconds: z.number() }),
  /** Only the last bytes of a log. */
  z.strictObject({ type: z.literal("truncateLog"), bytes: z.number().int().nonnegative() }),
  /** Words that were never published. */
  z.strictObject({
    type: z.literal("unknownState"),
    provisioningState: z.string().optional(),
    groupState: z.string().optional(),
    containerState: z.string().optional(),
  }),
] as const;

/** What befalls the group that the call is about; a PUT's own group after it was accepted. */
const groupSchemas = [
  /** It is gone after the call, without a trace, unless its operation is to end with an error of this code. */
  z.strictObject({ type: z.literal("vanish"), code: z.string().optional(), message: z.string().optional() }),
  /**
   * The platform ends what runs: for maintenance, or to take Spot capacity back, after which the group runs again. At once after the
   * call, or `afterSeconds` later. `exitCode`: in place of 7147 and 7148; `null` shows no exit code.
   */
  z.strictObject({
    type: z.literal("interrupt"),
    reason: z.enum(["Platform", "Evicted"]),
    afterSeconds: seconds.optional(),
    exitCode: z.number().int().nullable().optional(),
  }),
  /** Every call but PUT answers as if it were not there: late visibility (on a PUT), flapping (on a GET). */
  z.strictObject({ type: z.literal("notVisible"), seconds: z.number().positive() }),
  /** `provisioningState` is `Repairing`. */
  z.strictObject({ type: z.literal("repairing"), seconds: z.number().positive() }),
  /** Containers end without an exit code: for `seconds` after their end, or for ever. */
  z.strictObject({
    type: z.literal("unknownExitCode"),
    seconds: seconds.optional(),
    /** Does the group say Running as long? */
    groupSaysRunning: z.boolean().default(true),
  }),
] as const;

export const effectSchema = z.discriminatedUnion("type", [...callSchemas, ...groupSchemas, ...courseSchemas]);
export type Effect = z.output<typeof effectSchema>;

const DEPLOYS = new Set<CallKind>(["put", "start", "restart"]);
const WRITES = new Set<CallKind>([...DEPLOYS, "patch", "stop", "delete"]);

/** Does the effect mean anything for such a call? One that does not leaves the call alone, and is not counted. */
export function applies(effect: Effect, kind: CallKind): boolean {
  if (isCourse(effect)) return DEPLOYS.has(kind);
  if (effect.type === "locked") return effect.level === "ReadOnly" ? WRITES.has(kind) : kind === "delete";
  return true;
}

/** The error that an effect answers with instead of the work. */
export function errorOf(effect: Effect, { subscription, resourceGroup, name }: Route): ArmError | undefined {
  switch (effect.type) {
    case "transitioning":
      return transitioning(name, effect.retryAfter);
    case "locked": {
      const scope = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${name}`;
      return new ArmError(
        409,
        "ScopeLocked",
        `The scope '${scope}' cannot perform ${effect.level === "ReadOnly" ? "write" : "delete"} operation because following ` +
          `scope(s) are locked: '${scope}'. Please remove the lock and try again.`,
      );
    }
    case "status": {
      const known = KNOWN_CODES[effect.code ?? ""];
      const status = effect.status ?? known?.[0] ?? 500;
      const answer = DEFAULT_ANSWERS[status];
      return new ArmError(
        status,
        effect.code ?? answer?.[0] ?? "InternalServerError",
        effect.message ?? known?.[1] ?? answer?.[1] ?? "Injected.",
        effect.retryAfter,
      );
    }
    default:
      return undefined;
  }
}
