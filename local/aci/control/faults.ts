import { z } from "zod";
import { ArmError, transitioning } from "../arm/errors.ts";
import type { Route } from "../arm/routes.ts";

/** Which calls a fault is for; what is left out matches all. `name`: a regular expression on the group's name. */
const match = z
  .strictObject({
    method: z.enum(["GET", "PUT", "PATCH", "POST", "DELETE"]),
    /** As in routes.ts: `put`, `get`, `list`, `delete`, `logs`, `operation`, ... */
    kind: z.string(),
    name: z.string(),
  })
  .partial();

const effect = z.discriminatedUnion("type", [
  /** An error instead of the work. */
  z.strictObject({
    type: z.literal("status"),
    status: z.number().int().min(400).max(599),
    code: z.string().optional(),
    message: z.string().optional(),
    retryAfter: z.number().nonnegative().optional(),
  }),
  z.strictObject({ type: z.literal("transitioning") }),
  /** No answer ever; `after`: the work was done. */
  z.strictObject({ type: z.literal("silence"), when: z.enum(["before", "after"]).default("before") }),
  /** The connection is cut. */
  z.strictObject({ type: z.literal("drop"), when: z.enum(["before", "after"]) }),
  z.strictObject({ type: z.literal("slow"), seconds: z.number().positive() }),
  /** The work is done, and the reply is a page of HTML. */
  z.strictObject({ type: z.literal("notJson"), status: z.number().int().default(200) }),
  /** A PUT is accepted, and the group stays Pending. */
  z.strictObject({ type: z.literal("stuckPending") }),
  /** After the call the group is gone, without a trace. */
  z.strictObject({ type: z.literal("vanish") }),
  /** After the call the platform ends what runs: for maintenance, or to take Spot capacity back. */
  z.strictObject({ type: z.literal("interrupt"), reason: z.enum(["Platform", "Evicted"]) }),
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
]);

export const faultSchema = z.strictObject({
  match: match.default({}),
  effect,
  probability: z.number().min(0).max(1).default(1),
  /** How often it strikes; without one, always. */
  count: z.number().int().positive().optional(),
});

export type Fault = z.output<typeof faultSchema>;
export type Effect = Fault["effect"];

interface Armed {
  readonly id: number;
  readonly fault: Fault;
  hits: number;
}

/** The faults that are asked for. The first that matches a call, has hits left and wins its throw strikes. */
export class Faults {
  readonly #random: () => number;
  #armed: Armed[] = [];
  #next = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  add(fault: Fault): number {
    const id = this.#next++;
    this.#armed.push({ id, fault, hits: 0 });
    return id;
  }

  /** `undefined`: all. */
  remove(id: number | undefined): void {
    this.#armed = id === undefined ? [] : this.#armed.filter((armed) => armed.id !== id);
  }

  list(): readonly Armed[] {
    return this.#armed;
  }

  strike(method: string, route: Route): Effect | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.count !== undefined && armed.hits >= fault.count) continue;
      if (!matches(fault, method, route) || this.#random() >= fault.probability) continue;
      armed.hits += 1;
      return fault.effect;
    }
    return undefined;
  }
}

function matches({ match: wanted }: Fault, method: string, route: Route): boolean {
  if (wanted.method !== undefined && wanted.method !== method) return false;
  if (wanted.kind !== undefined && wanted.kind !== route.kind) return false;
  return wanted.name === undefined || new RegExp(wanted.name, "i").test(route.name);
}

/** The error that an effect answers with instead of the work. */
export function errorOf(effectGiven: Effect, name: string): ArmError | undefined {
  if (effectGiven.type === "transitioning") return transitioning(name);
  if (effectGiven.type !== "status") return undefined;
  const { status, code, message, retryAfter } = effectGiven;
  const usual = USUAL[status];
  return new ArmError(
    status,
    code ?? usual?.[0] ?? "InternalServerError",
    message ?? usual?.[1] ?? "Injected.",
    retryAfter,
  );
}

const USUAL: Partial<Record<number, readonly [code: string, message: string]>> = {
  409: ["Conflict", "The request conflicts with the present state of the resource."],
  429: ["TooManyRequests", "The request is being throttled. Please retry later."],
  500: ["InternalServerError", "Encountered an internal server error."],
  502: [
    "BadGateway",
    "The gateway did not receive a response from 'Microsoft.ContainerInstance' within the specified time period.",
  ],
  503: ["ServiceUnavailable", "The service is temporarily unavailable. Please retry later."],
  504: [
    "GatewayTimeout",
    "The gateway did not receive a response from 'Microsoft.ContainerInstance' within the specified time period.",
  ],
};
