import { entryOf, reasonOfExit, type Entry } from "./reasons.ts";
import { clip } from "../base/errors.ts";
import type { ContainerSeen, GroupSeen, Job, TerminalState, Verdict } from "./job.ts";
import type { RetryRule } from "./option-readers.ts";

/** What a finished group means for its job, and whether a failure is tried again. */
export interface Outcome {
  readonly state: TerminalState;
  readonly verdict: Verdict;
}

/** A container's first end: the one before its restarts, if it was restarted. */
export function firstEnd(
  container: ContainerSeen,
): { exitCode: number; finishTime: number | undefined; detailStatus: string | undefined } | undefined {
  if (container.previous?.exitCode !== undefined) {
    return {
      exitCode: container.previous.exitCode,
      finishTime: container.previous.finishTime,
      detailStatus: undefined,
    };
  }
  if (container.state !== "Terminated" || container.exitCode === undefined) return undefined;
  return { exitCode: container.exitCode, finishTime: container.finishTime, detailStatus: container.detailStatus };
}

/** True when no container of the group can be running. `Unknown` states never count as ended. */
export function nothingRuns(group: GroupSeen): boolean {
  const over = group.state === "Succeeded" || group.state === "Failed" || group.state === "Stopped";
  return over && group.containers.every(({ state }) => state !== "Running");
}

/** True when every container has ended for good, though the group may not say so yet. */
export function allExited(group: GroupSeen, policy: Job["restartPolicy"]): boolean {
  const main = group.containers.filter(({ init }) => !init);
  if (policy === "Always" || main.length === 0 || !main.every(({ state }) => state === "Terminated")) return false;
  return policy === "Never" || main.every(({ exitCode }) => exitCode === 0);
}

/**
 * The verdict on a group whose containers have ended. With `main` its first end decides; else the container that failed first by
 * finish time (then by order, init containers before the others); else all is well.
 */
export function outcomeOf(group: GroupSeen, main: string | undefined): Outcome {
  if (main !== undefined) {
    const container = group.containers.find(({ name, init }) => name === main && !init);
    const end = container && firstEnd(container);
    if (end) return ofExit(main, end.exitCode, end.detailStatus);
  }
  // What a stop killed did not fail, and a group that ended itself can't be stopped.
  if (group.state === "Stopped") return { state: "Stopped", verdict: { reason: "StoppedExternally" } };
  const failed = group.containers
    .filter(({ state, exitCode }) => state === "Terminated" && exitCode !== undefined && exitCode !== 0)
    .map((container, order) => ({ container, order }))
    .sort(
      (a, b) =>
        (a.container.finishTime ?? Infinity) - (b.container.finishTime ?? Infinity) ||
        Number(b.container.init) - Number(a.container.init) ||
        a.order - b.order,
    )
    .at(0)?.container;
  if (failed?.exitCode !== undefined) return ofExit(failed.name, failed.exitCode, failed.detailStatus);
  if (group.state === "Failed") return { state: "Failed", verdict: { reason: "ProvisioningFailed" } };
  return { state: "Succeeded", verdict: { reason: "Completed", exitCode: 0 } };
}

function ofExit(container: string, exitCode: number, detailStatus: string | undefined): Outcome {
  const reason = reasonOfExit(exitCode, detailStatus);
  if (exitCode === 0) return { state: "Succeeded", verdict: { reason, exitCode } };
  return { state: "Failed", verdict: { reason, exitCode, container } };
}

/** Whether the caller's rules ask for another attempt. Without rules every failure that can be the program's is tried again. */
export function callerRetries(rules: readonly RetryRule[], verdict: Verdict): boolean {
  const { party, rule } = entryOf(verdict.reason);
  if (rules.length === 0) return rule !== "end";
  const first = rules.find(({ when }) => {
    if (typeof when === "string") return when === "anything";
    if ("reason" in when) return when.reason === verdict.reason;
    if ("party" in when) return when.party === party;
    // What only a newer release can read matches nothing.
    return (
      "exitCodes" in when &&
      verdict.exitCode !== undefined &&
      verdict.exitCode >= when.exitCodes[0] &&
      verdict.exitCode <= when.exitCodes[1]
    );
  });
  return first?.retry ?? false;
}

/** Who has to do something about an end, and what. A wait that took too long is put down to what was waited for. */
export function blame({ reason, waitedFor }: Verdict): Pick<Entry, "party" | "advice"> {
  if (waitedFor === undefined) return entryOf(reason);
  const { party, advice } = entryOf(waitedFor);
  return { party, advice: `${entryOf(reason).advice} It waited for ${waitedFor}: ${advice}` };
}

/** The sentence for people, at most 300 characters: `bellaciao Failed: app2 exit 137 OutOfMemory (program). Raise memoryInGB.` */
export function sentence(name: string, state: string, verdict: Verdict): string {
  const { party, advice } = blame(verdict);
  if (state === "Succeeded") return `Container Group ${name} finished`;
  const exit = verdict.exitCode === undefined ? "" : `${verdict.container ?? "a container"} exit ${verdict.exitCode} `;
  const detail = verdict.detail === undefined ? "" : ` ${verdict.detail}`;
  return clip(`${name} ${state}: ${exit}${verdict.reason} (${party}).${detail} ${advice}`.trim(), 300);
}
