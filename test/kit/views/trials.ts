/**
 * Trials: what a container group shows to the service, what is submitted, and what its caller should see. `given.json` holds what
 * people reported of Container Instances, `own.json` more of the same kinds, `invented.json` what nobody reported yet. The pure core plays them (driver.ts), and so does the real
 * stack (test/system/views).
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { trialFaults, type Fault } from "../../../local/aci/control/faults.ts";
import { scriptSchema } from "../../../local/aci/groups/script.ts";

const trialSchema = z.strictObject({
  /** What GET answers by the time since the PUT. */
  script: scriptSchema.optional(),
  /** What every call of this method answers. */
  fault: z
    .strictObject({ method: z.enum(["PUT", "DELETE"]), status: z.number(), code: z.string(), text: z.string() })
    .optional(),
  /** How many containers and init containers: `c0`, `c1`, ... and `i0`, ... */
  containers: z.number().int().positive().default(1),
  init: z.number().int().nonnegative().default(0),
  /** Members of the definition's `properties`. */
  properties: z
    .looseObject({
      restartPolicy: z.enum(["Always", "OnFailure", "Never"]).default("Never"),
      priority: z.enum(["Regular", "Spot"]).optional(),
    })
    .prefault({}),
  /** Members of each container's `properties`. */
  container: z.record(z.string(), z.unknown()).default({}),
  /** Options, as `&NAME=VALUE`. */
  query: z.string().default(""),
  /** Seconds of the service's time that may pass. */
  secs: z.number().positive().default(90),
  /** It takes minutes whatever is done: the suite plays it to the pure core alone. */
  slow: z.boolean().default(false),
  expect: z.strictObject({
    state: z.string().optional(),
    /** `null`: no exit code. */
    exit: z.number().nullable().optional(),
    reason: z.string().optional(),
    notReason: z.string().optional(),
    /** At most. */
    puts: z.number().int().optional(),
    /** In the message, the advice, Azure's error or the reason. */
    says: z.string().optional(),
    notFault: z.string().optional(),
    ended: z.boolean().optional(),
    /** A reason that must have been shown on the way. */
    seen: z.string().optional(),
  }),
});
export type Trial = z.output<typeof trialSchema> & { readonly name: string };

const file = z.looseObject({ trials: z.record(z.string(), trialSchema) });

export const givenTrials = (): readonly Trial[] => read("given.json");
export const ownTrials = (): readonly Trial[] => read("own.json");
export const inventedTrials = (): readonly Trial[] => read("invented.json");

function read(name: string): readonly Trial[] {
  const { trials } = file.parse(JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")));
  return Object.entries(trials).map(([trial, one]) => ({ ...one, name: trial }));
}

/** What makes the local ACI play them. */
export const faultsOf = (trials: readonly Trial[]): readonly Fault[] =>
  trialFaults(Object.fromEntries(trials.map(({ name, script, fault }) => [name, { script, fault }])));

/** What is submitted: a region of its own, so that one left out for its capacity holds up no other. */
export function definitionOf({ name, containers, init, properties, container: more }: Trial, region: string): string {
  const container = (letter: string, n: number): object => ({
    name: `${letter}${n}`,
    properties: {
      image: "contoso.azurecr.io/app:1",
      ...(letter === "c" ? { resources: { requests: { cpu: 1, memoryInGB: 1 } }, ...more } : {}),
    },
  });
  const several = (letter: string, count: number): object[] =>
    Array.from({ length: count }, (_, n) => container(letter, n));
  return JSON.stringify({
    name,
    location: region,
    apiVersion: "2023-05-01",
    properties: {
      osType: "Linux",
      containers: several("c", containers),
      ...(init > 0 ? { initContainers: several("i", init) } : {}),
      ...properties,
    },
  });
}

/** What the caller of a trial has seen when it was over. */
export interface Shown {
  readonly state: string;
  readonly hasEnded: boolean;
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly fault: string | undefined;
  /** Every reason that was shown on the way. */
  readonly reasons: ReadonlySet<string>;
  /** Everything that was said to people. */
  readonly said: string;
  readonly puts: number;
}

/** What is not as expected, a line each. */
export function faultsIn(shown: Shown, { expect }: Trial): readonly string[] {
  const { state, hasEnded, reason, exitCode, fault, reasons, said, puts } = shown;
  const matches = (pattern: string, text: string): boolean => new RegExp(pattern, "i").test(text);
  const faults: string[] = [];
  const check = (holds: boolean, what: string): void => {
    if (!holds) faults.push(what);
  };
  if (expect.ended === true) check(hasEnded, "has not ended");
  if (expect.state !== undefined) check(state === expect.state, `is ${state}, not ${expect.state}`);
  if (expect.exit !== undefined)
    check((exitCode ?? null) === expect.exit, `exit code ${String(exitCode)}, not ${String(expect.exit)}`);
  if (expect.reason !== undefined) check(matches(expect.reason, reason), `reason ${reason}, not ${expect.reason}`);
  if (expect.notReason !== undefined) check(!matches(expect.notReason, reason), `reason ${reason}`);
  if (expect.notFault !== undefined) check(fault !== expect.notFault, `fault ${String(fault)}`);
  if (expect.puts !== undefined) check(puts <= expect.puts, `${puts} PUTs, at most ${expect.puts}`);
  if (expect.says !== undefined) check(matches(expect.says, said), `nothing says ${expect.says}`);
  if (expect.seen !== undefined)
    check(reasons.has(expect.seen), `${expect.seen} was never shown, but ${[...reasons].join(", ")}`);
  return faults;
}
