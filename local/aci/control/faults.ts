import { z } from "zod";
import { callKinds, type Route } from "../arm/routes.ts";
import { applies, effectSchema } from "./effects.ts";
import type { Effect } from "./effects.ts";

/** Which calls a fault is for; what is left out matches all. `name`: a regular expression on the group's name. */
const match = z
  .strictObject({
    method: z.enum(["GET", "PUT", "PATCH", "POST", "DELETE"]),
    /** As in routes.ts: `put`, `get`, `list`, `delete`, `logs`, `operation`, ... */
    kind: z.enum(callKinds),
    name: z.string().refine(isRegExp, "It must be a regular expression"),
  })
  .partial();

export const faultSchema = z.strictObject({
  match: match.default({}),
  effect: effectSchema,
  probability: z.number().min(0).max(1).default(1),
  /** How often it strikes; without one, always. */
  count: z.number().int().positive().optional(),
});
export type Fault = z.output<typeof faultSchema>;

/** A trial as view files have them (test/system/views): scripts and refusals, by the name of the group. */
const trial = z.looseObject({
  script: z.unknown().optional(),
  fault: z
    .looseObject({
      method: match.shape.method,
      status: z.number().int().min(400).max(599),
      code: z.string().optional(),
      text: z.string().optional(),
    })
    .optional(),
});

const faultList = z.array(faultSchema);
const trialFile = z.looseObject({ trials: z.record(z.string(), trial) }).transform(({ trials }) => trialFaults(trials));
/** What a file of faults holds: a list, or trials by the name of the group that each is for. */
export const faultFileSchema = z.union([faultList, trialFile]);

/** The same, with each error at its place, which a union does not name. */
export function readFaultFile(value: unknown): z.ZodSafeParseResult<Fault[]> {
  return Array.isArray(value) ? faultList.safeParse(value) : trialFile.safeParse(value);
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** The faults that make the groups of these names do as their trials say. */
export function trialFaults(trials: Readonly<Record<string, z.output<typeof trial>>>): Fault[] {
  return Object.entries(trials).flatMap(([group, { script, fault }]) => {
    const name = `^${group.replace(/[^\w-]/g, String.raw`\$&`)}$`;
    return [
      ...(fault === undefined
        ? []
        : [
            faultSchema.parse({
              match: { name, method: fault.method ?? "PUT" },
              effect: { type: "status", status: fault.status, code: fault.code, message: fault.text },
            }),
          ]),
      ...(script === undefined ? [] : [faultSchema.parse({ match: { name }, effect: { type: "script", script } })]),
    ];
  });
}

interface Armed {
  readonly id: number;
  readonly fault: Fault;
  hits: number;
}

export interface Strike {
  readonly effect: Effect;
  /** How often the fault has struck, this time included. */
  readonly hits: number;
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

  strike(method: string, route: Route): Strike | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.count !== undefined && armed.hits >= fault.count) continue;
      if (!matches(fault, method, route) || this.#random() >= fault.probability) continue;
      armed.hits += 1;
      return { effect: fault.effect, hits: armed.hits };
    }
    return undefined;
  }
}

function matches({ match: wanted, effect }: Fault, method: string, route: Route): boolean {
  if (!applies(effect, route.kind)) return false;
  if (wanted.method !== undefined && wanted.method !== method) return false;
  if (wanted.kind !== undefined && wanted.kind !== route.kind) return false;
  return wanted.name === undefined || new RegExp(wanted.name, "i").test(route.name);
}
