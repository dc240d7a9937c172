import { minute } from "../base/duration.ts";
import { clip } from "../base/errors.ts";
import {
  firstTrouble,
  isEviction,
  killedByProbe,
  reasonOfTrouble,
  speakOfCapacity,
  startReason,
} from "./group-events.ts";
import type { ContainerEnd, Observed, TerminalState, Verdict } from "./job.ts";
import { hasStarted, nothingRuns, type ObservedGroup } from "./observation.ts";
import {
  countingOf,
  crashLoops,
  failing,
  failures,
  hasFailed,
  hidesEnd,
  isPack,
  isSpot,
  keptEnd,
  knownEnd,
  mayHaveStarted,
  platformCodes,
  startedAgain,
  type Watched,
} from "./observed-group.ts";
import type { Reason } from "./reasons.ts";

/**
 * What a view of a container group means for its job. This file is the whole policy: {@link policy} is the table of rules in
 * the order of their precedence, {@link judge} applies it; `observed-group.ts` keeps what must not be forgotten between two views. All of it is
 * pure, and every view of ACI's gets exactly one answer.
 *
 * Two rules stand above all: an exit code that is not known is never taken for 0, and a word of ACI's never seen before means
 * "keep watching".
 */
export interface Outcome {
  readonly state: TerminalState;
  readonly verdict: Verdict;
}

export type Judgement =
  /** No ordinary container has started; why, as far as the events tell. */
  | { readonly kind: "not started"; readonly reason: Reason; readonly detail?: string }
  | { readonly kind: "running"; readonly startedAt: number }
  /** It started, and this view does not show what it does now: keep observing. */
  | { readonly kind: "unclear"; readonly startedAt: number }
  /** The attempt is over. What still runs of it is stopped. */
  | { readonly kind: "ended"; readonly outcome: Outcome }
  /** The group has to be stopped and observed once more: it may tell an exit code then. */
  | { readonly kind: "stop and observe"; readonly outcome: Outcome }
  /** The region had no capacity after all: nothing ran, and the group is created again later. */
  | { readonly kind: "wait"; readonly verdict: Verdict };

export interface Limits {
  /** How often a container with restartPolicy OnFailure may be started again. */
  readonly maxRestarts: number;
  /** How long an end without an exit code is waited for, in milliseconds. */
  readonly exitCodeTime: number;
  /** At this many evictions a Spot job gives up Spot; 0: never. */
  readonly spotFallbackAfter: number;
}

/** Everything that a rule may use. */
interface View {
  readonly job: Watched;
  readonly group: ObservedGroup;
  readonly observed: Observed;
  readonly now: number;
  readonly limits: Limits;
}

interface Rule {
  readonly when: string;
  /** Why, and where that is known from. */
  readonly because: string;
  readonly judge: (view: View) => Judgement | undefined;
}

/** A failure that repeats this often while the container waits is not a passing one. */
const maxStartFailures = 5;
/** How long a group may say Running without showing any container before that counts as a start. */
const bareTime = minute;

export const policy: readonly Rule[] = [
  {
    when: "the platform started an item of a pack again that had ended with 0",
    because: "an item that ended with 0 never runs again; those that still run go into another pack",
    judge: ({ job, group, observed }) =>
      isPack(job) && observed.ends.some((end) => end.exitCode === 0 && startedAgain(end, group))
        ? ended(failed({ reason: "PlatformRestart" }))
        : undefined,
  },
  {
    when: "the platform started a container that counts again after a failure, under restartPolicy Never",
    because: "Never means once, and ACI restarts in spite of it after a failure (container-instances-restart-policy)",
    judge: ({ job, group, observed }) => {
      if (job.restartPolicy !== "Never") return undefined;
      return failureOf(
        failing(job, observed.ends).filter((end) => startedAgain(end, group)),
        group,
      );
    },
  },
  {
    when: "main has ended",
    because: "the job is what its main container does; the others are sidecars",
    judge: ({ job, group, observed }) => {
      const end = observed.ends.find(({ container, init }) => !init && container === job.options.main);
      return end && ended(exitOutcome(end, group));
    },
  },
  {
    when: "an init container failed under restartPolicy Never",
    because: "the containers after it are never started, and nobody starts it again",
    judge: ({ job, group, observed }) => {
      if (job.restartPolicy !== "Never" || group.containers.some((each) => !each.init && hasStarted(each)))
        return undefined;
      return failureOf(
        observed.ends.filter(({ init, exitCode }) => init && exitCode !== 0),
        group,
      );
    },
  },
  {
    when: "every container that counts has ended with a known exit code",
    because: "the group itself may say so only later. Under OnFailure only ends with 0 are final",
    judge: ({ job, group, observed }) => {
      const counting = countingOf(job, group);
      if (counting.length === 0) return undefined;
      const ends = counting.flatMap((each) => knownEnd(each, job, group, observed) ?? []);
      if (ends.length < counting.length) return undefined;
      const all = [...observed.ends.filter(({ init }) => init), ...ends];
      return (
        failureOf(
          all.filter(({ exitCode }) => exitCode !== 0),
          group,
        ) ?? ended(success)
      );
    },
  },
  {
    when: "a Spot group was evicted as often as the operator allows",
    because: "SPOT_FALLBACK_AFTER: the next attempt asks for Regular",
    judge: ({ job, limits }) =>
      isSpot(job) && limits.spotFallbackAfter > 0 && job.evictions >= limits.spotFallbackAfter
        ? ended(failed({ reason: "SpotEvicted" }))
        : undefined,
  },
  {
    when: "the group was stopped",
    because: "a group that ended cannot be stopped, and what a stop kills did not fail",
    judge: ({ group }) =>
      group.state === "Stopped" && nothingRuns(group)
        ? ended({ state: "Stopped", verdict: { reason: "StoppedExternally" } })
        : undefined,
  },
  {
    when: "the group failed, and the view leaves out how a container that counts ended",
    because: "a later view may show it, unless the cause is known: capacity, or but for packs a failure or an eviction",
    judge: ({ job, group, observed, now, limits: { exitCodeTime } }) => {
      const { startedAt = now, terminatedSince = now } = observed;
      if (!hidesEnd(job, group, observed) || speakOfCapacity(group.events)) return undefined;
      // Items of a pack that ended with 0 must not run again.
      const shown = platformEnd(job, group, observed) ?? failureOf(failures(job, group, observed), group);
      if (!isPack(job) && shown !== undefined) return undefined;
      return now < terminatedSince + exitCodeTime ? { kind: "unclear", startedAt } : undefined;
    },
  },
  {
    when: "the group has ended, and the platform ended a container that counts",
    because: "codes 7147 and 7148, and evictions of Spot groups, are no end of the program",
    judge: ({ job, group, observed }) => {
      if (!nothingRuns(group)) return undefined;
      const end = platformEnd(job, group, observed);
      return end && ended(end);
    },
  },
  {
    when: "the group says Succeeded, and no container says otherwise",
    because: "ACI's own word for the whole group; containers' exit codes may be missing",
    judge: ({ job, group, observed }) => {
      if (group.state !== "Succeeded" || !nothingRuns(group)) return undefined;
      return failureOf(failures(job, group, observed), group) ?? ended(success);
    },
  },
  {
    when: "the group says Failed, and a program failed",
    because: "the container that failed first, by its finish time, is the cause",
    judge: ({ job, group, observed }) =>
      group.state === "Failed" && nothingRuns(group) ? failureOf(failures(job, group, observed), group) : undefined,
  },
  {
    when: "provisioning failed and nothing runs, or the group says Failed before anything started",
    because: "provisioningState Failed alone does not stop a group (container-state); the events say why",
    judge: ({ job, group, observed }) => {
      const runs = group.containers.some(({ state }) => state === "Running");
      return runs || !hasFailed(group) ? undefined : startFailure(job, group, observed);
    },
  },
  {
    when: "a container fails and is started again and again",
    because: "a crash loop never ends; its restarts are counted by ACI",
    judge: ({ job, group, limits }) => {
      const deciding = [...group.containers.filter(({ init }) => init), ...countingOf(job, group)];
      const looping = deciding.find((each) => crashLoops(each, job, limits.maxRestarts));
      if (looping === undefined) return undefined;
      const exitCode = looping.previous?.exitCode ?? looping.exitCode;
      return ended(
        failed({ reason: "CrashLoop", container: looping.name, ...(exitCode === undefined ? {} : { exitCode }) }),
      );
    },
  },
  {
    when: "a container that waits can't be pulled, mounted or started, again and again",
    because: "ACI goes on trying for 30 minutes; the events count the failures (azure-docs#70920)",
    judge: ({ group }) => repeatedFailure(group),
  },
  {
    when: "all containers that count have been Terminated for long without an exit code",
    because: "views without one were met (azure-docs#71458); the code may come when the group is stopped",
    judge: ({ job, group, observed, now, limits }) => {
      const { terminatedSince } = observed;
      if (terminatedSince === undefined || now < terminatedSince + limits.exitCodeTime) return undefined;
      const failure = failureOf(failures(job, group, observed), group);
      if (failure !== undefined) return failure;
      return { kind: "stop and observe", outcome: platformEnd(job, group, observed) ?? failed(unknownExit(group)) };
    },
  },
  {
    when: "no ordinary container has started",
    because: "a group that says Running may still mount volumes; without any view of a container its word counts",
    judge: ({ group, observed, now }) => {
      const bare = observed.bareSince !== undefined && now >= observed.bareSince + bareTime;
      return bare || observed.startedAt !== undefined
        ? undefined
        : { kind: "not started", ...startReason(group.events) };
    },
  },
  {
    when: "anything else",
    because: "it started, and nothing says that it ended",
    judge: ({ group, observed, now }) => {
      const startedAt = observed.startedAt ?? observed.bareSince ?? now;
      const isPlain = group.state === "Running" || group.containers.some(({ state }) => state === "Running");
      return { kind: isPlain ? "running" : "unclear", startedAt };
    },
  },
];

/** What a view of the group means, by the first rule of {@link policy} that has an answer. */
export function judge(job: Watched, group: ObservedGroup, observed: Observed, now: number, limits: Limits): Judgement {
  for (const rule of policy) {
    const judgement = rule.judge({ job, group, observed, now, limits });
    if (judgement !== undefined) return judgement;
  }
  return { kind: "unclear", startedAt: now };
}

// ------------------------------------------------------------------------------------------------------------- Outcomes

const success: Outcome = { state: "Succeeded", verdict: { reason: "Completed", exitCode: 0 } };

const ended = (outcome: Outcome): Judgement => ({ kind: "ended", outcome });

export function failed(verdict: Verdict): Outcome {
  return { state: "Failed", verdict };
}

/** What an end means: an exit code, and for 137 what else was seen. */
function exitOutcome(end: ContainerEnd, group: ObservedGroup): Outcome {
  const { container, exitCode } = end;
  if (exitCode === 0) return success;
  return failed({ reason: reasonOfEnd(end, group), exitCode, container });
}

/** Words of ACI's that stand beside an end. `OOMKilled` is one, "no room left" is not. */
export function reasonOfEnd(
  { exitCode, detailStatus, container }: Pick<ContainerEnd, "exitCode" | "detailStatus" | "container">,
  { events }: Pick<ObservedGroup, "events">,
): Reason {
  if (exitCode === 0) return "Completed";
  if (/\boom(?:killed)?\b|\bout of memory\b/i.test(detailStatus ?? "")) return "OutOfMemory";
  if (exitCode !== 137) return "ExitCode";
  return killedByProbe(events, container) ? "ProbeFailed" : "OutOfMemory";
}

/** The first failure by finish time; then init containers before the others, then the order of the definition. */
function failureOf(ends: readonly ContainerEnd[], group: ObservedGroup): Judgement | undefined {
  const order = ({ container, init }: ContainerEnd): number =>
    group.containers.findIndex((each) => each.name === container && each.init === init);
  const [first] = ends.toSorted(
    (a, b) =>
      (a.finishTime ?? Infinity) - (b.finishTime ?? Infinity) || Number(b.init) - Number(a.init) || order(a) - order(b),
  );
  return first && ended(exitOutcome(first, group));
}

/** An end of the platform's making in a group that has ended: maintenance, or an eviction. */
function platformEnd(job: Watched, group: ObservedGroup, observed: Observed): Outcome | undefined {
  const code = countingOf(job, group).find(
    (each) => each.exitCode !== undefined && platformCodes.has(each.exitCode) && keptEnd(each, observed) === undefined,
  );
  const evicted = isSpot(job) && (code !== undefined || group.events.some(isEviction));
  if (code === undefined && !evicted) return undefined;
  const verdict = { ...(code?.exitCode === undefined ? {} : { exitCode: code.exitCode, container: code.name }) };
  return failed({ reason: evicted ? "SpotEvicted" : "PlatformRestart", ...verdict });
}

/** Why a group failed that does not say Failed, or says nothing of a program's end. */
function startFailure(job: Watched, group: ObservedGroup, observed: Observed): Judgement {
  const trouble = firstTrouble(group.events);
  const detail = trouble && clip(trouble.event.message, 160);
  const told = detail === undefined || detail === "" ? {} : { detail };
  if (trouble?.trouble === "quota" || trouble?.trouble === "capacity") {
    if (observed.anyStarted) return ended(failed({ reason: "NoCapacity", ...told }));
    return { kind: "wait", verdict: { reason: reasonOfTrouble[trouble.trouble], ...told } };
  }
  if (mayHaveStarted(group, observed)) {
    const ofPlatform = platformEnd(job, group, observed);
    if (ofPlatform !== undefined) return ended(ofPlatform);
    return failureOf(failures(job, group, observed), group) ?? ended(failed(unknownExit(group)));
  }
  return ended(failed({ reason: trouble ? reasonOfTrouble[trouble.trouble] : "ProvisioningFailed", ...told }));
}

function unknownExit(group: ObservedGroup): Verdict {
  const silent = group.containers.find(({ state, exitCode }) => state === "Terminated" && exitCode === undefined);
  return { reason: "ExitUnknown", ...(silent === undefined ? {} : { container: silent.name }) };
}

function repeatedFailure(group: ObservedGroup): Judgement | undefined {
  const waiting = new Set(group.containers.filter(({ state }) => state === "Waiting").map(({ name }) => name));
  if (waiting.size === 0) return undefined;
  const trouble = firstTrouble(
    group.events.filter(({ container }) => container === undefined || waiting.has(container)),
  );
  if (trouble === undefined || trouble.count < maxStartFailures) return undefined;
  if (trouble.trouble === "quota" || trouble.trouble === "capacity") return undefined;
  return ended(
    failed({
      reason: reasonOfTrouble[trouble.trouble],
      detail: clip(trouble.event.message, 160),
      ...(trouble.event.container === undefined ? {} : { container: trouble.event.container }),
    }),
  );
}
