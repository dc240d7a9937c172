import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { trialFaults, type Fault } from "../../../local/aci/control/faults.ts";

/**
 * A trial: what a container group shows to the service (script, fault; local/aci/groups/script.ts), what is submitted, and what the
 * caller is to see.
 */
const trial = z.looseObject({
  script: z.array(z.looseObject({})).optional(),
  fault: z.looseObject({ status: z.number() }).optional(),
  /** How many containers and init containers: `c0`, `c1`, ... and `i0`, ... */
  containers: z.number().int().positive().default(1),
  init: z.number().int().nonnegative().default(0),
  /** Members of the definition's `properties`. */
  properties: z.record(z.string(), z.unknown()).default({}),
  /** Members of each container's `properties`. */
  container: z.record(z.string(), z.unknown()).default({}),
  /** Options, as `&NAME=VALUE`. */
  query: z.string().default(""),
  /** Seconds of the service's time that may pass. */
  secs: z.number().positive().default(60),
  /** It takes minutes whatever is done: `npm run views` alone plays it. */
  slow: z.boolean().default(false),
  expect: z.strictObject({
    state: z.string().optional(),
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
export type Trial = z.output<typeof trial> & { readonly name: string };

const file = z.looseObject({ trials: z.record(z.string(), trial) });

/** Trials that are not ours to copy: the file VIEWS_FILE, else ../shared/aci-views.json. */
export const givenFile = resolve(
  fileURLToPath(new URL("../../..", import.meta.url)),
  process.env["VIEWS_FILE"] ?? "../shared/aci-views.json",
);
export const hasGiven = existsSync(givenFile);

const ownFile = fileURLToPath(new URL("more-views.json", import.meta.url));

export const ownTrials = (): readonly Trial[] => read(ownFile);
export const givenTrials = (): readonly Trial[] => (hasGiven ? read(givenFile) : []);

function read(path: string): readonly Trial[] {
  const { trials } = file.parse(JSON.parse(readFileSync(path, "utf8")));
  return Object.entries(trials).map(([name, one]) => ({ ...one, name }));
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
      restartPolicy: "Never",
      containers: several("c", containers),
      ...(init > 0 ? { initContainers: several("i", init) } : {}),
      ...properties,
    },
  });
}
