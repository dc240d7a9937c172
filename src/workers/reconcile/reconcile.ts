// Longer than 350 lines: one reconcile, whose steps share the row and what was observed.
import { Deadline } from "../../shared/base/deadline.ts";
import { minute, second } from "../../shared/base/duration.ts";
import { Unavailable, Unreadable } from "../../shared/base/errors.ts";
import { rulesOf, type Deps } from "../../shared/deps.ts";
import { columnsOf } from "../../shared/store/job-row.ts";
import { endingOf, hasEnded, stateWord, type ArrayState, type Job } from "../../shared/job/job.ts";
import type { ObservedGroup, Observation } from "../../shared/job/observation.ts";
import { withOutcomes } from "../../shared/job/deliveries.ts";
import type { JobId } from "../../shared/base/ids.ts";
import { loggingWith } from "../../shared/base/log.ts";
import { conflict, done, maxTries, pauseAfter, tooMany } from "../../shared/base/rewrite.ts";
import { dropKept } from "../../shared/intake/cancel.ts";
import { expireReservation } from "../../shared/intake/reservation.ts";
import { checkDelay, leastCheckDelay } from "../../shared/store/requeue.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import { withResult } from "../../shared/job/array-outcomes.ts";
import { afterCapture, afterCreate, afterDelete } from "../../shared/job/arm-answers.ts";
import { jobTrace } from "../../shared/job/job-spans.ts";
import { withinTrace } from "../../shared/base/telemetry.ts";
import { reportAnswer, reportLate, reportMove } from "./report-move.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { isReason } from "../../shared/job/reasons.ts";
import type { ArrayOutcomes } from "../../shared/job/array-outcomes.ts";
import {
  arrayEnd,
  arrayStep,
  arrayWaiting,
  stepEnd,
  stepMade,
  withArrayEnding,
  type ArrayStep,
} from "../../shared/job/array-step.ts";
import { nextStep, operationToAsk } from "../../shared/job/next-step.ts";
import { maskedAnswer, maskedObservation } from "../../shared/aci/masked-client.ts";
import { requestTimeout, type Step } from "../../shared/job/step.ts";
import { poolOf } from "../../shared/limits/region-queues.ts";
import { withoutOutage } from "../../shared/job/timing.ts";
import { finish, postpone, unclaimed } from "../../shared/job/transitions.ts";
import { releaseSlots } from "../../shared/intake/group-slot.ts";
import { memberOf } from "../../shared/store/group-entries.ts";
import { admit, admitArray, leaseCreate } from "./admit.ts";
import {
  cancelChildren,
  endingAgain,
  makeChildren,
  mayMake,
  openForChildren,
  requeueArray,
  withStart,
} from "./array.ts";
import { captureArray } from "./array-results.ts";
import { ceilingFreed } from "./ceiling.ts";
import { captureAttempt } from "./capture.ts";
import { leaveIndex, letGo } from "./let-go.ts";
import { openForCreate } from "./open-for-create.ts";
import { countAttempt, capacityFreed, uncharge } from "./capacity.ts";
import { claimCallers, notifyCallers } from "./notify.ts";
import { Publisher } from "./publish.ts";
import { shownDiffers } from "./shown-differs.ts";
import { readLogsAlone, watchLogs } from "./watch-logs.ts";

/**
 * `reconcile` reads the row, observes the group, lets the machine decide one step, performs it, saves with the ETag, and repeats that until
 * there is nothing to do now. It may be called by anybody, at any time, any number of times.
 */
export interface ReconcileReason {
  /** The `lookAt` that the wake stands for; absent for a wake that looks whatever the row says (an event, the timer, a person). */
  readonly at: number | undefined;
}

/**
 * How long a reconcile may begin new steps. No step takes longer than two minutes, and a message may have been accepted for a minute
 * before: together that is well within the platform's `functionTimeout`.
 */
const reconcileTime = minute;

/** A slot is given back within this time of its claim, and one call more: well before the claim runs out. */
const leaveTime = 10 * second;

/** A job that goes through more steps than this in one call is postponed: something is wrong with it, or with us. */
const maxSteps = 40;
/** How long a job rests that can't be read, or whose phase only a newer release can read. */
const leftAloneTime = 10 * minute;

export async function reconcile(deps: Deps, id: JobId, wake: ReconcileReason): Promise<void> {
  try {
    await reconcileReadable(deps, id, wake);
  } catch (error) {
    if (error instanceof Unavailable && error.service === "index") {
      // Its row can't be found. The rebuilt index has the sweep requeue it.
      deps.log("warn", "job not found while the index is lost", { job: id });
      return;
    }
    // Its own row, or that of the array whose child it is.
    if (!(error instanceof Unreadable)) throw error;
    deps.log("error", "job can't be read", { job: error.id, why: error.why });
    await deps.jobs.index.setCheck(id, deps.now() + leftAloneTime);
  }
}

async function reconcileReadable(deps: Deps, id: JobId, wake: ReconcileReason): Promise<void> {
  const deadline = Deadline.in(deps.now, reconcileTime);
  const found = await deps.jobs.find(id);
  if (found === undefined) return expireReservation(deps, id);
  // Only the message that the row's last observation sent counts: there is one chain of observations per job, however many messages.
  if (wake.at !== undefined && wake.at !== found.job.lookAt) return;
  const work = async (): Promise<void> => {
    if (wake.at !== undefined && (await readLogsAlone(deps, found, deadline))) return;
    await new Reconciliation(deps, found, deadline, wake.at === undefined).run();
  };
  await withinTrace(jobTrace(found.job), () => loggingWith(logFieldsOf(found.job), work));
}

class Reconciliation {
  readonly #deps: Deps;
  readonly #deadline: Deadline;
  readonly #publisher: Publisher;
  #stored: Stored;
  #observation: Observation | undefined;
  #admitted = false;
  #hasLetGo = false;
  /** The end of the array's step whose children this call made: also where the row was changed by somebody else meanwhile. */
  #madeTo: number | undefined;
  #conflicts = 0;
  /** The next save writes the index's copy whatever changes: a host may have died between a row and its copy. */
  #copies: boolean;
  /** When the row was read. */
  #foundAt = 0;

  constructor(deps: Deps, stored: Stored, deadline: Deadline, copies: boolean) {
    this.#deps = deps;
    this.#deadline = deadline;
    this.#copies = copies;
    this.#publisher = new Publisher(deps);
    this.#stored = this.#found(stored);
  }

  /** A row as it was read. An observation that comes far too late does not count against the lease. */
  #found(stored: Stored): Stored {
    this.#foundAt = this.#deps.now();
    return { ...stored, job: withoutOutage(stored.job, this.#foundAt) };
  }

  async run(): Promise<void> {
    this.#publisher.begin(this.#stored.job);
    await this.#toRest();
    await this.#publisher.end(this.#stored.job);
  }

  /** Step by step, until there is nothing to do now. */
  async #toRest(): Promise<void> {
    for (let steps = 0; steps < maxSteps; steps++) {
      const now = this.#deps.now();
      // What is left to do is done by the next invocation.
      if (this.#deadline.over) {
        await this.#saveAndRequeue(this.#stored.job, now + second, true);
        return;
      }
      const { placed } = this.#stored.job;
      const backlog = placed === undefined ? 0 : this.#deps.budget.backlog(placed, now);
      const rules = rulesOf(this.#deps, await this.#deps.control.activeJobs(), backlog);
      const step = nextStep(this.#stored.job, this.#observation, this.#admitted, now, rules);
      const before = this.#conflicts;
      if (await this.#do(step)) return;
      if (this.#conflicts >= maxTries) throw tooMany("a job's row");
      if (this.#conflicts > before) await pauseAfter(this.#conflicts, this.#deps);
    }
    this.#deps.log("error", "job does not come to rest", { job: this.#stored.job.id });
    await this.#requeueAt(this.#stored.job, this.#deps.now() + minute);
  }

  /** @returns true when there is nothing more to do now */
  async #do(step: Step): Promise<boolean> {
    switch (step.do) {
      case "array":
        return this.#array();
      case "observe":
        this.#observation = await this.#observe();
        return false;
      case "admit":
        return this.#admit();
      case "save":
        await this.#save(step.job);
        return false;
      case "requeue":
        if (step.requeue !== undefined) await this.#deps.queues.requeue(step.requeue, undefined, 0);
        return this.#requeueAt(step.job, step.until);
      case "create":
        return this.#create(step.job);
      case "delete":
      case "stop":
        return this.#act(step.do, step.job);
      case "capture":
        return this.#capture(step.job, step.group);
      case "notify":
        return this.#notify();
      case "leave group":
        return this.#leaveGroup(step.job);
      case "finalize":
        return this.#finalize();
      case "leave alone":
        return this.#leaveAlone();
      case "done":
        return this.#leave();
    }
  }

  /** An array's steps, until it rests or ends. What has ended is read once: each further end requeues it. */
  async #array(): Promise<boolean> {
    const outcomes = await this.#deps.jobs.outcomesOf(this.#stored.job);
    const found = await withStart(this.#deps, this.#stored.job, outcomes);
    const step = stepEnd(found);
    let job = step !== undefined && step === this.#madeTo ? stepMade(found) : found;
    for (let steps = 0; steps < maxSteps && job.array !== undefined && !this.#deadline.over; steps++) {
      const step = await this.#arrayStep(job, job.array, outcomes);
      switch (step.do) {
        case "admit": {
          const admission = await admitArray(this.#deps, job);
          if (admission.kind === "wait") return this.#requeueAt(admission.job, admission.until, admission.ownMessage);
          this.#admitted = true;
          job = admission.job;
          break;
        }
        case "make": {
          const made = await this.#makeStep(job, step, outcomes);
          if (made.rests !== undefined) return made.rests;
          job = made.job;
          break;
        }
        case "cancel":
          return this.#cancelChildren(step);
        case "end":
          return this.#endArray(step.job);
        case "requeue":
          return this.#requeueAt(step.job, step.until);
      }
    }
    return this.#saveAndRequeue(job, this.#deps.now() + second, true);
  }

  /** Whether the service is paused matters only where children would be made. */
  async #arrayStep(job: Job, array: ArrayState, outcomes: ArrayOutcomes): Promise<ArrayStep> {
    const step = (mayMake: boolean): ArrayStep =>
      arrayStep(job, array, outcomes, { admitted: this.#admitted, mayMake }, this.#deps.now(), rulesOf(this.#deps));
    const wished = step(true);
    return wished.do !== "make" || (await mayMake(this.#deps)) ? wished : step(false);
  }

  /** @returns the array after it, or whether there is nothing more to do now */
  async #makeStep(
    before: Job,
    step: Extract<ArrayStep, { do: "make" }>,
    outcomes: ArrayOutcomes,
  ): Promise<{ readonly job: Job; readonly rests?: undefined } | { readonly rests: boolean }> {
    const opened = await openForChildren(this.#deps, this.#stored);
    const now = this.#deps.now();
    switch (opened.kind) {
      case "wait": {
        const waiting = arrayWaiting(before, opened.reason, now);
        return { rests: await this.#requeueAt(waiting, now + (opened.retryAfter ?? minute)) };
      }
      case "fail":
        return { job: withArrayEnding(before, { state: "Failed", verdict: opened.verdict, since: now }) };
      case "open":
        if (!(await this.#save(step.job))) return { rests: false };
        if (!(await makeChildren(this.#deps, this.#stored.job, outcomes, step, opened.array)))
          return { rests: await this.#saveAndRequeue(this.#stored.job, this.#deps.now() + second, true) };
        this.#madeTo = stepEnd(this.#stored.job);
        return { job: stepMade(this.#stored.job) };
    }
  }

  async #cancelChildren(step: Extract<ArrayStep, { do: "cancel" }>): Promise<boolean> {
    if (!(await this.#save(step.job))) return false;
    const { job } = this.#stored;
    const left = await cancelChildren(this.#deps, job, step.indexes);
    const now = this.#deps.now();
    const again = endingAgain(left, step.endsFrom, now);
    return again === undefined ? this.#endArray(job) : this.#requeueAt(job, again);
  }

  /** With the counts and results as they are once nothing of it is left. */
  async #endArray(job: Job): Promise<boolean> {
    if (job.array === undefined) return false;
    if (job.array.packing !== undefined) await this.#deps.jobs.endWaitingItems(job);
    const outcomes = await this.#deps.jobs.outcomesOf(job);
    await captureArray(this.#deps, job);
    if (job.yield) await dropKept(this.#deps, job);
    await this.#save(arrayEnd(job, job.array, outcomes, this.#deps.now()));
    return false;
  }

  async #observe(): Promise<Observation> {
    const { job } = this.#stored;
    if (job.placed === undefined) return { group: "absent" };
    const { aci } = await this.#deps.aci();
    const runs = job.phase.state !== "Queued" && !hasEnded(job.phase);
    const seen = await aci.observe(job.placed, job.groupName, runs);
    const asked = seen.group === "absent" ? operationToAsk(job, this.#deps.now(), rulesOf(this.#deps)) : undefined;
    const failure = asked === undefined ? undefined : await aci.failureOf(job.placed, asked);
    return maskedObservation(this.#deps, this.#stored, failure === undefined ? seen : { group: "absent", failure });
  }

  async #admit(): Promise<boolean> {
    const admission = await admit(this.#deps, this.#stored.job);
    if (admission.kind === "wait") return this.#requeueAt(admission.job, admission.until, admission.ownMessage);
    if (admission.kind === "over") {
      await this.#save(admission.job);
      return false;
    }
    this.#admitted = true;
    // It is saved with whatever comes of it: the claim, or a wait.
    this.#stored = { ...this.#stored, job: admission.job };
    return false;
  }

  async #create(claimed: Job): Promise<boolean> {
    const now = this.#deps.now();
    const opened = await openForCreate(this.#deps, this.#stored, claimed);
    if (opened.kind === "wait")
      return this.#do(postpone(this.#stored.job, opened.reason, now, rulesOf(this.#deps), opened.retryAfter));
    if (opened.kind === "unwanted") {
      const end = { state: "Canceled", verdict: { reason: opened.reason } } as const;
      await this.#save(finish(this.#stored.job, end, now, "gone", rulesOf(this.#deps)));
      return false;
    }
    if (opened.kind === "fail") {
      const refused = {
        kind: "refused",
        reason: opened.reason,
        azure: undefined,
        retryAfter: undefined,
        detail: opened.detail,
      } as const;
      return this.#do(afterCreate(claimed, refused, now, rulesOf(this.#deps)));
    }
    const { placed, groupName } = claimed;
    if (placed === undefined) return false;
    const lease = await leaseCreate(this.#deps, this.#stored.job, claimed, placed);
    if (lease.kind === "wait") return this.#requeueAt(lease.job, lease.until, lease.ownMessage);
    if (lease.kind === "admitted") return false;
    const { aci } = await this.#deps.aci();
    if (!(await this.#claim(claimed))) {
      await aci.returnCreate(placed, lease.lease);
      await uncharge(this.#deps, claimed, this.#stored.job);
      return false;
    }
    const { apiVersion, body, redact } = opened;
    const answer = await aci.create(placed, groupName, apiVersion, body, redact, lease.lease, poolOf(claimed));
    reportAnswer(this.#deps, "create", claimed, answer);
    return this.#settle(claimed, (job) => afterCreate(job, answer, this.#deps.now(), rulesOf(this.#deps)));
  }

  async #act(how: "delete" | "stop", claimed: Job): Promise<boolean> {
    if (!(await this.#claim(claimed)) || claimed.placed === undefined) return false;
    const { aci } = await this.#deps.aci();
    const { placed, groupName } = claimed;
    const told = await (how === "delete" ? aci.remove(placed, groupName) : aci.stop(placed, groupName));
    const answer = await maskedAnswer(this.#deps, this.#stored, told);
    reportAnswer(this.#deps, how, claimed, answer);
    return this.#settle(claimed, (job) => afterDelete(how, job, answer, this.#deps.now(), rulesOf(this.#deps)));
  }

  /** Saves the claim. False also when that took too long: a request sent now could outlive it. */
  async #claim(claimed: Job): Promise<boolean> {
    if (!(await this.#save(claimed))) return false;
    return claimed.claimUntil !== undefined && this.#deps.now() + requestTimeout <= claimed.claimUntil;
  }

  /** What an answer means is saved over whatever the row says by now, as long as it still holds our claim. */
  async #settle(claimed: Job, meaning: (job: Job) => Step): Promise<boolean> {
    this.#observation = undefined;
    return this.#deps.jobs.rewrite(async () => {
      if (this.#stored.job.claimUntil !== claimed.claimUntil) return done(false);
      const step = meaning(this.#stored.job);
      if (step.do === "requeue")
        return (await this.#saveAndRequeue(step.job, step.until, true)) ? done(true) : conflict;
      if (step.do === "save") return (await this.#save(step.job)) ? done(false) : conflict;
      return done(await this.#do(step));
    });
  }

  async #capture(job: Job, group: ObservedGroup | undefined): Promise<boolean> {
    const ending = endingOf(job.phase);
    const { wait = false, verdict } = ending ?? {};
    if (wait && verdict !== undefined && isReason(verdict.reason) && job.placed !== undefined)
      await this.#deps.placement.exclude(job.placed, verdict.reason, this.#deps.now(), poolOf(job));
    const since = (hasEnded(job.phase) ? job.phase.finishedAt : ending?.since) ?? this.#deps.now();
    const captured = await captureAttempt(this.#deps, job, group, since, this.#deadline);
    if (captured === "again") return this.#requeueAt(job, this.#deps.now() + 5 * second);
    const after = afterCapture(job, group, this.#deps.now(), rulesOf(this.#deps));
    await this.#save(withResult(after, captured.result));
    return false;
  }

  /** Claimed first, so that two who are here at once don't both notify; then what came of it is saved over whatever the row says. */
  async #notify(): Promise<boolean> {
    const claim = await claimCallers(this.#deps, this.#stored);
    if (!(await this.#save(claim.job)) || claim.due.length === 0) return false;
    const outcomes = await notifyCallers(this.#deps, claim.job, claim);
    return this.#deps.jobs.rewrite(async () => {
      const { job } = this.#stored;
      const saved = await this.#save(withOutcomes(job, outcomes, this.#deps.now(), this.#deps.random()));
      return saved ? done(false) : conflict;
    });
  }

  /** Under the claim, so that nobody admits the job with the slot that it is about to lose. */
  async #leaveGroup(claimed: Job): Promise<boolean> {
    const begun = this.#deps.now();
    if (!(await this.#claim(claimed))) return false;
    this.#admitted = false;
    const members = [memberOf(claimed), this.#deps.teamSlots.memberOf(claimed)];
    if (!(await releaseSlots(this.#deps, claimed.id, members, begun + leaveTime))) return false;
    return this.#settle(claimed, (job) => ({ do: "save", job: { ...unclaimed(job), slotLeft: true } }));
  }

  async #finalize(): Promise<boolean> {
    const { job } = this.#stored;
    if (job.array === undefined) await capacityFreed(this.#deps, job);
    await letGo(this.#deps, job);
    this.#hasLetGo = true;
    await this.#publisher.settle(job);
    if (hasEnded(job.phase)) await this.#save({ ...job, phase: { ...job.phase, tidy: true } });
    return false;
  }

  async #leave(): Promise<boolean> {
    const { job } = this.#stored;
    // A job that was done with already may have been given the name once more by whoever did not know.
    if (!this.#hasLetGo) await letGo(this.#deps, job);
    await this.#publisher.settle(job);
    await leaveIndex(this.#deps, this.#stored);
    return true;
  }

  /** The timer asks again now and then: by then a release that can read the phase may be back. */
  async #leaveAlone(): Promise<boolean> {
    const { id, phase } = this.#stored.job;
    this.#deps.log("warn", "job of a newer release", { job: id, state: stateWord(phase) });
    await this.#deps.jobs.index.setCheck(id, this.#deps.now() + leftAloneTime);
    return true;
  }

  async #requeueAt(job: Job, until: number, wake = true): Promise<boolean> {
    const observed = this.#observation;
    if (observed?.group !== "present") return this.#saveAndRequeue(job, until, wake);
    const watched = await watchLogs(this.#deps, job, observed, until, this.#deadline);
    return this.#saveAndRequeue(watched.job, watched.until, wake);
  }

  /** Saves when the next observation is, and sends its message. False when somebody else changed the row meanwhile. */
  async #saveAndRequeue(job: Job, until: number, wake: boolean): Promise<boolean> {
    await this.#publisher.pause();
    const now = this.#deps.now();
    const next = Math.max(until, now + 1);
    // The message for this observation must differ from the last one's.
    const lookAt = next === job.lookAt ? next + 1 : next;
    // Without a message of its own the job relies on somebody else's, or on the sweep.
    const moveCheck = !wake || lookAt + leastCheckDelay > job.checkAt;
    const checkAt = !wake ? lookAt : moveCheck ? lookAt + checkDelay : job.checkAt;
    // An outage may also come while the job is reconciled.
    const kept = withoutOutage(job, now, this.#foundAt);
    if (!(await this.#save({ ...kept, lookAt, checkAt }, moveCheck))) return false;
    if (wake) await this.#deps.queues.requeue(job.id, lookAt, lookAt - now);
    return true;
  }

  /** @returns false when somebody else was faster; then the row is read again, and everything is decided anew */
  async #save(wanted: Job, moveCheck = false): Promise<boolean> {
    const before = this.#stored;
    const job = this.#publisher.withPublished(wanted);
    const saved = await this.#deps.jobs.save(before, job);
    if (saved === "conflict") {
      this.#conflicts++;
      const fresh = await this.#deps.jobs.find(job.id);
      if (fresh === undefined) throw new Unavailable("storage", "The job's row vanished.");
      this.#stored = this.#found(fresh);
      this.#observation = undefined;
      this.#admitted = false;
      return false;
    }
    this.#stored = saved;
    this.#publisher.begin(job);
    await countAttempt(this.#deps, before.job, job);
    reportLate(this.#deps, before.job, job);
    const { index } = this.#deps.jobs;
    const differs = shownDiffers(before.job, job);
    if (differs || this.#copies)
      await index.mirror(job.id, saved.key, job.checkAt, columnsOf(job, this.#deps.jobs.prices));
    else if (moveCheck) await index.setCheck(job.id, job.checkAt);
    this.#copies = false;
    if (differs) {
      reportMove(this.#deps, before.job, job);
      if (hasEnded(job.phase) && !hasEnded(before.job.phase)) {
        await requeueArray(this.#deps, saved);
        await ceilingFreed(this.#deps, job);
      }
    }
    return true;
  }
}
