import { second } from "../../shared/base/duration.ts";
import type { Deadline } from "../../shared/base/deadline.ts";
import { defined } from "../../shared/base/defined.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import type { Job } from "../../shared/job/job.ts";
import { printedResult, resultOfMany, sentResult, type ReadResult } from "../../shared/job/result.ts";
import { isPack } from "../../shared/job/observed-group.ts";
import type { AttemptResult, ContainerResult } from "../../shared/store/attempts.ts";

/** What an attempt's program sent to its result address, as far as storage says. */
export type Sent =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "nothing" } | { readonly kind: "unknown" };

const takeTime = 4 * second;

/** Whether the program has an address to send its result to. In a pack each item prints its own. */
export function hasResultUrl(job: Job): boolean {
  return job.options.env && !isPack(job);
}

/** Takes it, and closes the address. May be repeated. */
export async function takeSentResult(
  { blobs, log }: Pick<Deps, "blobs" | "log">,
  job: Job,
  deadline: Deadline,
): Promise<Sent> {
  const { id, attempt } = job;
  if (!hasResultUrl(job)) return { kind: "nothing" };
  const unknown = (service: string): Sent => {
    log("warn", "result not read", { job: id, attempt, service });
    return { kind: "unknown" };
  };
  const take = async (): Promise<Sent> => {
    const text = await blobs.takeResult(id, attempt);
    return text === undefined ? { kind: "nothing" } : { kind: "text", text };
  };
  try {
    const sent = await deadline.within(takeTime).limit(take());
    return sent === "late" ? unknown("storage") : sent;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return unknown(error.service);
  }
}

/**
 * An attempt's result: what was sent, else what `main` or the only container printed last.
 *
 * @param logs the ends of the logs that were read now, by container, without marks
 * @param before what an earlier capture of this attempt kept
 */
export function resultOf(
  job: Job,
  sent: Sent,
  logs: ReadonlyMap<string, string>,
  before: AttemptResult | undefined,
): Pick<AttemptResult, "result" | "resultDropped"> {
  if (isPack(job)) return {};
  if (sent.kind === "text") return kept(sentResult(sent.text));
  const {
    containers,
    options: { main },
  } = job;
  const printed = printedBy(
    containers.flatMap(({ name, init }) => (init ? [] : [name])),
    main,
    logs,
  );
  const found =
    printed === undefined ? defined({ result: before?.result, resultDropped: before?.resultDropped }) : kept(printed);
  return sent.kind === "unknown" && found.result === undefined ? { resultDropped: "unread" } : found;
}

/** `undefined` when the logs that matter were not read now. */
function printedBy(
  names: readonly string[],
  main: string | undefined,
  logs: ReadonlyMap<string, string>,
): ReadResult | undefined {
  const speaker = names.find((name) => name === main) ?? (names.length === 1 ? names[0] : undefined);
  if (speaker === undefined)
    return logs.size === 0 ? undefined : resultOfMany(names.map((name) => logs.get(name) ?? ""));
  const log = logs.get(speaker);
  return log === undefined ? undefined : printedResult(log);
}

function kept(read: ReadResult): Pick<AttemptResult, "result" | "resultDropped"> {
  return read.kind === "result" ? { result: read.value } : read.kind === "dropped" ? { resultDropped: read.why } : {};
}

/** Bytes of JSON that the results of a pack's items have together. */
const maxOfItems = 256 * 1024;

/** What each item of a pack printed last. */
export function resultsOfItems(
  logs: ReadonlyMap<string, string>,
): ReadonlyMap<string, Pick<ContainerResult, "result" | "resultDropped">> {
  let left = maxOfItems;
  return new Map(
    [...logs].map(([name, log]) => {
      const read = kept(printedResult(log));
      left -= read.result === undefined ? 0 : Buffer.byteLength(JSON.stringify(read.result));
      return [name, read.result !== undefined && left < 0 ? { resultDropped: "tooLong" } : read];
    }),
  );
}
