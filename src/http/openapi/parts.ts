import { z } from "zod";
import { activeStates, terminalStates, type State } from "../../shared/job/job.ts";
import { catalogue, isReason, type FaultDomain } from "../../shared/job/reasons.ts";

/** What several replies have in common. Functions, so that nothing is built before somebody asks for the description. */

/** Built once: what several replies refer to is one schema of the description. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

export const text = (description: string) => z.string().meta({ description });
export const time = (description: string) => z.iso.datetime().meta({ description });
const plainTime = (description: string) =>
  z.iso
    .datetime({ local: true, precision: 0 })
    .nullable()
    .meta({ description: `${description}, as YYYY-MM-DDTHH:MM:SS, UTC.` });
export const seconds = (description: string) => z.number().min(0).meta({ description });
export const count = (description: string) => z.int().min(0).meta({ description });
export const flag = (description: string) => z.boolean().meta({ description });
export const jobId = (description = "The job's id.") => z.guid().meta({ description });
export const message = () => z.string().max(300).meta({ description: "A sentence for people." });

/**
 * One of these words. Handlers may answer any text in its place: a row that a newer release wrote shows its own words after a rollback.
 */
export function word(words: readonly string[]): z.ZodType<string> {
  return z.literal(words);
}

const states: readonly (State | "Unknown")[] = [...activeStates, ...terminalStates, "Unknown"];
export const stateCode = once(() =>
  word(states).meta({
    description: "Ended: Succeeded, Failed, Stopped, TimedOut, Canceled. Unknown: it can't be read now.",
  }),
);
export const state = (description = "Its state.") => stateCode().meta({ description });

export const reasonCode = once(() =>
  word(Object.keys(catalogue).filter(isReason)).meta({ description: "Stable; docs/faults.md explains each." }),
);
export const reason = (description = "Why it waits, is being stopped, or ended.") => reasonCode().meta({ description });

const faultDomains: readonly FaultDomain[] = [
  ...new Set(Object.values(catalogue).map(({ party: faultDomain }): FaultDomain => faultDomain)),
];
export const faultDomainCode = once(() => z.literal(faultDomains).meta({ description: "Whose fault something was." }));
export const faultDomain = () => faultDomainCode().meta({ description: "Whose fault it was." });

export const locatedFault = once(() =>
  z.strictObject({
    path: text("The member, as `properties.containers[0].properties.image`; an option's or parameter's name."),
    line: count("Of the caller's text, from 1."),
    column: count("From 1."),
    message: text("What is wrong with it."),
  }),
);

export const azureError = once(() =>
  z
    .strictObject({
      code: text("Azure's own code."),
      message: text("Azure's own words, with secrets masked."),
      httpStatus: z.int(),
      correlationId: text("For Azure's support.").optional(),
      requestId: text("For Azure's support.").optional(),
    })
    .meta({ description: "Azure's own error." }),
);

export const waiting = () => ({
  reason: reason("Why it has not begun."),
  since: time("Since when."),
  detail: text("More about it.").optional(),
  position: count("Its place among those that wait for the same, from 1.").optional(),
});

/** Where it stands in the queue for what it waits for. */
export const queue = once(() =>
  z
    .strictObject({
      position: count("In the order in which the wait queue would be called now, at most 15 s old, from 1."),
      of: count("How many stand in it; at most 1,000 are counted."),
      expectedStartAt: time("When its create is expected to be sent; for creates, groups and names only.").optional(),
    })
    .meta({ description: "Where it stands in the wait queue; absent behind the first 1,000." }),
);

export const late = () =>
  z.literal(true).meta({ description: "It runs for longer than 95 of 100 of its name; known after ten successes." });

export const stopping = once(() =>
  z
    .strictObject({ reason: reason("Why it ends."), since: time("Since when.") })
    .meta({ description: "An end is decided, and Azure has not confirmed it." }),
);

const containerMembers = () => ({
  start_time: plainTime("Started"),
  finish_time: plainTime("Ended"),
  state: text("As Azure names it: Waiting, Running, Terminated."),
  exit_code: z.int().nullable().meta({ description: "Null where Azure reports no exit code." }),
  detail_status: z.string().nullable().meta({ description: "Azure's own word for it." }),
  output: text("The end of its log, as much as the option `outputLimit` allows."),
  output_truncated: flag("The log is longer."),
  log: word(["complete", "truncated", "missing"]).meta({ description: "How much of its log was captured." }),
  restart_count: count("How often it was started again.").optional(),
});

/** What a container did. */
export const container = once(() => z.strictObject(containerMembers()));
/** The same, or nothing while that is not known. */
export const containerSoFar = once(() => z.strictObject(containerMembers()).partial());

export const result = () =>
  z
    .record(z.string(), z.unknown())
    .meta({ description: "The JSON object that the program printed last, or sent to its result address." });
