import { backOff, day, minute, second } from "../base/duration.ts";
import { hasEnded, type Delivery, type Job } from "./job.ts";

/**
 * Who is to be notified of a job's end, and who was: each caller separately, so that one who can't be reached makes nobody hear twice.
 * Callers are identified by position: a `callBackUri` by its index in the sealed list, a `replyTo` by its index in the list of the
 * job's own poster followed by `joined`. Pure.
 */
type Kind = "callbacks" | "replies";

/** One caller to be notified now. */
export interface Due {
  readonly kind: Kind;
  readonly index: number;
}

/** What came of a try: `gone` and `failed` for good, or to be tried `again`. */
export type Outcome = "delivered" | "gone" | "failed" | "again";

/** How long after a job's end its callers are tried. */
const patience = day;
/** While one instance notifies a caller nobody else does: longer than any call takes, with a margin for skewed clocks. */
const claimTime = 90 * second;

/** The queues that `replyTo` names, in the order of their deliveries; `undefined` of whoever wants no reply. */
export function readersOf(job: Job) {
  const { id, replyTo, correlationId } = job;
  return [{ id, replyTo, correlationId }, ...job.joined];
}

/**
 * The deliveries of a kind, one for each caller. A row of an older release has one for all of them, which then holds for each.
 *
 * @param count how many callers there are
 */
function deliveriesOf(job: Job, kind: Kind, count: number): readonly Delivery[] {
  const all = kind === "callbacks" ? job.callback : job.reply;
  const readers = kind === "replies" ? readersOf(job) : [];
  return Array.from({ length: count }, (_, index) => {
    const wanted = kind === "callbacks" || readers[index]?.replyTo !== undefined;
    return job.notified[kind][index] ?? (wanted ? all : none);
  });
}

const none: Delivery = { state: "none", tries: 0 };
const expected: Delivery = { state: "pending", tries: 0 };

function withDeliveries(job: Job, kind: Kind, deliveries: readonly Delivery[]): Job {
  const notified = { ...job.notified, [kind]: deliveries };
  const all = summaryOf(deliveries);
  return kind === "callbacks" ? { ...job, notified, callback: all } : { ...job, notified, reply: all };
}

/** What the row says of all callers of a kind together: pending as long as one is. */
function summaryOf(deliveries: readonly Delivery[]): Delivery {
  const tries = Math.max(0, ...deliveries.map((each) => each.tries));
  const pending = deliveries.filter(({ state }) => state === "pending");
  if (pending.length > 0) return { state: "pending", tries, nextAt: Math.min(...pending.map(dueAt)) };
  const state = (["failed", "delivered", "gone"] as const).find((word) =>
    deliveries.some((each) => each.state === word),
  );
  return { state: state ?? "none", tries };
}

const dueAt = ({ nextAt }: Delivery): number => nextAt ?? 0;

/**
 * One more caller who gave a `callBackUri`, or one who gave that address before and wants to hear once more.
 *
 * @param count how many addresses there are now
 */
export function expectCallback(job: Job, index: number, count: number): Job {
  return expectAt(job, "callbacks", index, count);
}

/** The same of a `replyTo`, given by the one at this place in `joined`. */
export function expectReply(job: Job, joined: number): Job {
  return expectAt(job, "replies", 1 + joined, 1 + job.joined.length);
}

function expectAt(job: Job, kind: Kind, index: number, count: number): Job {
  const each = job.notified[kind];
  const deliveries = deliveriesOf(job, kind, count);
  const known = each.length === 0 || index < each.length;
  // Whoever will be notified anyhow, or is just being notified, is not to hear twice.
  if (known && deliveries[index]?.state === "pending") return job;
  return withDeliveries(job, kind, deliveries.with(index, expected));
}

/**
 * Claims for whoever saves this job all callers who are due: nobody else notifies them until the claim has run out.
 *
 * @param callbacks how many addresses there are, if they can be read now
 */
export function claimDue(
  job: Job,
  callbacks: number | undefined,
  now: number,
): { readonly job: Job; readonly due: readonly Due[] } {
  const due: Due[] = [];
  const claim = (of: Job, kind: Kind, count: number): Job =>
    withDeliveries(
      of,
      kind,
      deliveriesOf(of, kind, count).map((delivery, index) => {
        if (delivery.state !== "pending" || now < dueAt(delivery)) return delivery;
        due.push({ kind, index });
        return { state: "pending", tries: delivery.tries + 1, nextAt: now + claimTime };
      }),
    );
  const replies = job.reply.state === "pending" ? claim(job, "replies", 1 + job.joined.length) : job;
  const both = callbacks === undefined ? replies : claim(replies, "callbacks", callbacks);
  return { job: both, due };
}

/** The job with what came of notifying these callers, whatever else has changed in its row since they were claimed. */
export function withOutcomes(
  job: Job,
  outcomes: readonly (Due & { readonly outcome: Outcome })[],
  now: number,
  random: number,
): Job {
  let changed = job;
  for (const { kind, index, outcome } of outcomes) {
    const delivery = changed.notified[kind][index];
    if (delivery?.state === "pending")
      changed = withDeliveries(
        changed,
        kind,
        changed.notified[kind].with(index, after(job, delivery, outcome, now, random)),
      );
  }
  return changed;
}

function after({ phase }: Job, { tries }: Delivery, outcome: Outcome, now: number, random: number): Delivery {
  if (outcome !== "again") return { state: outcome, tries };
  const since = hasEnded(phase) ? phase.finishedAt : now;
  if (now - since > patience) return { state: "failed", tries };
  return { state: "pending", tries, nextAt: now + backOff(tries - 1, 5 * second, 30 * minute, random) };
}

/** Nobody can be called now, or ever: the addresses can't be read. */
export function withoutAddresses(job: Job, outcome: "failed" | "again", now: number, random: number): Job {
  const { tries } = job.callback;
  const callback = after(job, { state: "pending", tries: tries + 1 }, outcome, now, random);
  const callbacks = job.notified.callbacks.map((each) => (each.state === "pending" ? { ...each, ...callback } : each));
  return { ...job, callback, notified: { ...job.notified, callbacks } };
}
