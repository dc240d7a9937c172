import { defined } from "../base/defined.ts";
import { minute } from "../base/duration.ts";
import { firstTrouble, isEviction } from "./group-events.ts";
import type { ContainerEnd, ContainerView, Job, Observed } from "./job.ts";
import { hasStarted, type ObservedContainer, type ObservedGroup } from "./observation.ts";

/**
 * What is known of an attempt's group over several views: its containers' first ends, whether they are the same containers, how often
 * they were evicted. Facts only; what they mean is decided in `verdict.ts`. Pure.
 */

/** What is known of the job: its definition's part in the verdict. */
export type Watched = Pick<Job, "restartPolicy" | "spot" | "regular" | "evictions" | "containers" | "queuedAt"> &
  Partial<Pick<Job, "child">> & {
    readonly options: { readonly main?: string | undefined };
  };

/** The platform's own exit codes: "Container group restart, killing event, interruption". */
export const platformCodes: ReadonlySet<number> = new Set([7147, 7148]);
/** What is known of the attempt's group after one more view of it. */
export function observe(job: Watched, group: ObservedGroup, before: Observed, now: number): Observed {
  // A group that was seen was not dropped.
  const { bareSince: _bare, terminatedSince: _terminated, operation: _operation, ...kept } = before;
  const restarts = Math.max(0, ...group.containers.map(({ restartCount }) => restartCount));
  const evictions = evictionsOf(job, group, before, restarts);
  const isBare = group.state === "Running" && group.containers.every(({ hasView }) => !hasView);
  const counting = countingOf(job, group);
  const ends = endsOf(job, group, before.ends);
  const startedAt = before.startedAt ?? startOf(job, group, now);
  const isTerminated =
    (counting.length > 0 &&
      counting.every(({ state }) => state === "Terminated") &&
      counting.some((each) => knownEnd(each, job, group, { ends }) === undefined)) ||
    hidesEnd(job, group, { ends, ...defined({ startedAt }) });
  return {
    ...kept,
    ...(group.owner.kind === "ours" ? { identity: identityOf(group, before.identity?.starts) } : {}),
    anyStarted: before.anyStarted || group.containers.some(hasStarted),
    ...defined({ startedAt }),
    ends,
    containers: viewsOf(job, group, before.containers),
    restarts: Math.max(before.restarts, restarts),
    evictions,
    ...(isBare ? { bareSince: before.bareSince ?? now } : {}),
    ...(isTerminated ? { terminatedSince: before.terminatedSince ?? now } : {}),
  };
}

/** One that the view doesn't show stays as it was seen last. */
function viewsOf({ containers }: Watched, group: ObservedGroup, before: readonly ContainerView[]): ContainerView[] {
  const shown = group.containers.filter(({ hasView }) => hasView).map(viewOf);
  const isSame = (a: Pick<ContainerView, "container" | "init">, b: ContainerView): boolean =>
    a.container === b.container && a.init === b.init;
  const kept = before.filter((each) => !shown.some((now) => isSame(each, now)));
  return [
    ...shown,
    ...kept.filter((each) => containers.some(({ name, init }) => isSame({ container: name, init }, each))),
  ];
}

/** Azure's word for a state has one or a few words; whatever is longer is cut. */
const maxDetail = 100;

function viewOf({ name, init, state, startTime, finishTime, exitCode, detailStatus, restartCount }: ObservedContainer) {
  const detail = detailStatus?.slice(0, maxDetail);
  return {
    container: name,
    init,
    state,
    ...defined({ startTime, finishTime, exitCode, detailStatus: detail }),
    restartCount,
  };
}

/**
 * The first known end of each container. Under `Never` it is final, and so is main's under every policy; a container that its policy
 * starts again has no end before its last. In a group that was stopped an exit code may be the stop's.
 */
function endsOf(job: Watched, group: ObservedGroup, known: readonly ContainerEnd[]): ContainerEnd[] {
  if (group.state === "Stopped") return [...known];
  const isLast = isPack(job) && job.restartPolicy !== "Never";
  const before = isLast ? known : known.filter((end) => !showsEarlier(group, end));
  const fresh = group.containers
    .filter(({ name, init }) => job.restartPolicy === "Never" || isPack(job) || (!init && name === job.options.main))
    .filter(({ name, init }) => !before.some((end) => end.container === name && end.init === init))
    .flatMap((each) => (isLast ? endWith0(each) : firstEndOf(each)) ?? []);
  return [...before, ...fresh];
}

/** A view that leaves out the run before shows a second end as the first. */
function showsEarlier({ containers }: ObservedGroup, end: ContainerEnd): boolean {
  const now = containers.find(({ name, init }) => name === end.container && init === end.init);
  const first = now?.previous === undefined ? undefined : firstEndOf(now);
  return first !== undefined && first.restartCount < end.restartCount;
}

/** Whether a job runs several items of an array, each of which must not run again once it ended with 0. */
export function isPack({ child }: Partial<Pick<Job, "child">>): boolean {
  return child?.items !== undefined;
}

function endWith0(container: ObservedContainer): ContainerEnd | undefined {
  const end = lastEndOf(container);
  return end?.exitCode === 0 ? end : undefined;
}

/** A container's first known end in one view: that of the run before, else the present one. The platform's codes are no ends. */
export function firstEndOf(container: ObservedContainer): ContainerEnd | undefined {
  const { name, init, state, exitCode, startTime, finishTime, detailStatus, restartCount, previous } = container;
  const isEnd = (code: number | undefined): code is number => code !== undefined && !platformCodes.has(code);
  if (isEnd(previous?.exitCode)) {
    return {
      container: name,
      init,
      exitCode: previous.exitCode,
      ...defined({ startTime: previous.startTime, finishTime: previous.finishTime }),
      restartCount: Math.max(0, restartCount - 1),
    };
  }
  if (state !== "Terminated" || !isEnd(exitCode)) return undefined;
  return { container: name, init, exitCode, ...defined({ startTime, finishTime, detailStatus }), restartCount };
}

/** What distinguishes a group from another of its name: its containers, their images, and when each first started. */
export function identityOf(
  group: ObservedGroup,
  starts: Readonly<Record<string, number>> = {},
): NonNullable<Observed["identity"]> {
  return { containers: containersOf(group), starts: { ...startsOf(group), ...starts } };
}

/** True when a group that lost its tags is the one that was seen with them. In doubt it is not. */
export function isSameGroup(group: ObservedGroup, { identity }: Observed): boolean {
  if (identity === undefined || containersOf(group) !== identity.containers) return false;
  const starts = startsOf(group);
  return Object.entries(identity.starts).every(([name, at]) => starts[name] === at);
}

function containersOf(group: ObservedGroup): string {
  return group.containers.map(({ name, init, image }) => `${init ? "init " : ""}${name}=${image ?? ""}`).join(" ");
}

/** When each container first started, as far as the view shows: of more than one restart it shows only the last two runs. */
function startsOf(group: ObservedGroup): Record<string, number> {
  const pairs = group.containers.flatMap(({ name, init, restartCount, startTime, previous }) => {
    const first = restartCount === 0 ? startTime : restartCount === 1 ? previous?.startTime : undefined;
    return first === undefined ? [] : [[`${init ? "init " : ""}${name}`, first] as const];
  });
  return Object.fromEntries(pairs);
}

/**
 * A Spot group is evicted by a restart whose run before ended with a code of the platform's or without one, or when an event says so.
 * Any other code is the program's own end (container-instances-spot-containers-overview).
 */
function evictionsOf(job: Watched, group: ObservedGroup, before: Observed, restarts: number): number {
  if (!isSpot(job)) return before.evictions;
  const wasEvicted = group.containers.some(
    ({ restartCount, previous }) =>
      restartCount > before.restarts && (previous?.exitCode === undefined || platformCodes.has(previous.exitCode)),
  );
  const told = group.events.filter(isEviction).reduce((sum, { count }) => sum + count, 0);
  return Math.max(before.evictions + (wasEvicted && restarts > before.restarts ? 1 : 0), told);
}

function lastEndOf({ previous: _before, ...container }: ObservedContainer): ContainerEnd | undefined {
  return firstEndOf({ ...container, previous: undefined });
}

export function isSpot({ spot, regular }: Watched): boolean {
  return spot && !regular;
}

/** Whose ends make the job's end: main, or every ordinary container. Of one that a view leaves out nothing is known. */
export function countingOf(
  { containers, options: { main } }: Watched,
  group: ObservedGroup,
): readonly ObservedContainer[] {
  const counts = ({ name, init }: { readonly name: string; readonly init: boolean }): boolean =>
    !init && (main === undefined || name === main);
  const shown = group.containers.filter(counts);
  const names = new Set(shown.map(({ name }) => name.toLowerCase()));
  const missing = containers.filter((each) => counts(each) && !names.has(each.name.toLowerCase()));
  return [...shown, ...missing.map(({ name }) => notShown(name))];
}

function notShown(name: string): ObservedContainer {
  return {
    ...{ name, init: false, image: undefined, hasView: false, state: "Unknown", restartCount: 0 },
    ...{
      startTime: undefined,
      finishTime: undefined,
      exitCode: undefined,
      detailStatus: undefined,
      previous: undefined,
    },
  };
}

/** A view of a group that failed and may have run, without a container that counts: whether and how that ended is not to be seen. */
export function hidesEnd(job: Watched, group: ObservedGroup, observed: Pick<Observed, "ends" | "startedAt">): boolean {
  const isHidden = (each: ObservedContainer): boolean => !each.hasView && keptEnd(each, observed) === undefined;
  return mayHaveStarted(group, observed) && hasFailed(group) && countingOf(job, group).some(isHidden);
}

/** Provisioning that failed stops no group: one that says Running, or a word never seen before, may run (container-state). */
export function hasFailed({ provisioning, state, hasNewWord }: ObservedGroup): boolean {
  if (provisioning !== "Failed" && provisioning !== "Canceled") return state === "Failed";
  return state === "Failed" || (state !== "Running" && !hasNewWord);
}

/**
 * A container has started, or may have: provisioning that succeeded means that all ran (container-state), also where the view of a group
 * that failed shows no container and no event says why one could not start.
 */
export function mayHaveStarted(group: ObservedGroup, { startedAt }: Pick<Observed, "startedAt">): boolean {
  if (startedAt !== undefined) return true;
  const ran = group.provisioning === "Succeeded" && group.state === "Failed";
  return ran && group.containers.every(({ hasView }) => !hasView) && firstTrouble(group.events) === undefined;
}

export function keptEnd({ name, init }: ObservedContainer, { ends }: Pick<Observed, "ends">): ContainerEnd | undefined {
  return ends.find((end) => end.container === name && end.init === init);
}

/** Ends of programs that failed: those that were kept, also of containers that the view leaves out, and those that it shows. */
export function failures(job: Watched, group: ObservedGroup, observed: Pick<Observed, "ends">): ContainerEnd[] {
  const shown = group.containers.filter((each) => keptEnd(each, observed) === undefined);
  return failing(job, [...observed.ends, ...shown.flatMap((each) => lastEndOf(each) ?? [])]);
}

/** Those that are failures of the job: a sidecar's is not. */
export function failing({ options: { main } }: Watched, ends: readonly ContainerEnd[]): ContainerEnd[] {
  return ends.filter(
    ({ exitCode, init, container }) => exitCode !== 0 && (main === undefined || init || container === main),
  );
}

/** An end that is final under the job's policy. */
export function knownEnd(
  container: ObservedContainer,
  { restartPolicy }: Watched,
  { state }: ObservedGroup,
  observed: Pick<Observed, "ends">,
): ContainerEnd | undefined {
  const kept = keptEnd(container, observed);
  // In a group that was stopped an exit code may be the stop's: a program that is asked to stop may end with 0.
  if (kept !== undefined || restartPolicy !== "OnFailure" || state === "Stopped") return kept;
  return endWith0(container);
}

/** Our clock and Azure's may differ by this much. */
const maxAhead = minute;

/** When the first ordinary container started, as far as the view shows. A time before the attempt began (1970, say) counts as missing. */
function startOf({ queuedAt }: Watched, group: ObservedGroup, now: number): number | undefined {
  const started = group.containers.filter((each) => !each.init && hasStarted(each));
  if (started.length === 0) return undefined;
  const times = started.flatMap(({ startTime, previous }) => previous?.startTime ?? startTime ?? []);
  return Math.min(now, ...times.filter((at) => at >= queuedAt - maxAhead));
}

/** A view that lags behind shows what ended still running: only a later start, or a higher count, is another run. */
export function startedAgain(end: ContainerEnd, group: ObservedGroup): boolean {
  const now = group.containers.find(({ name, init }) => name === end.container && init === end.init);
  if (now === undefined) return false;
  if (now.restartCount > end.restartCount) return true;
  const { startTime } = now;
  if (now.state !== "Running" || startTime === undefined) return false;
  if (end.finishTime === undefined) return end.startTime !== undefined && startTime > end.startTime;
  return startTime > (end.startTime ?? -Infinity) && startTime >= end.finishTime;
}

/** A crash loop: it fails and is started again more often than is allowed, or Azure backs off already. */
export function crashLoops(container: ObservedContainer, { restartPolicy }: Watched, maxRestarts: number): boolean {
  const { restartCount, previous, state, exitCode, detailStatus } = container;
  const last = previous?.exitCode ?? exitCode;
  if (state === "Running" || last === 0 || (last !== undefined && platformCodes.has(last))) return false;
  const backsOff = /crashloopbackoff/i.test(detailStatus ?? "");
  if (restartPolicy === "Never") return restartCount > 0 && (backsOff || restartCount > maxRestarts);
  return restartCount > maxRestarts;
}
