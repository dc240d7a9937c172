import { hasEnded, type Job, type TerminalPhase, type TerminalState, type Verdict } from "./job.ts";
import { isSpot, platformCodes } from "./observed-group.ts";
import { entryOf } from "./reasons.ts";
import { retryAsked } from "./transitions.ts";
import { failed, reasonOfEnd, type Outcome } from "./verdict.ts";

/**
 * What came of the items of a pack: an array's child of which each container is an item, and whose end is not theirs. Pure.
 */
export interface ItemEnd {
  readonly index: number;
  readonly container: string;
  readonly state: TerminalState;
  readonly verdict: Verdict;
  /**
   * At whose expense it may be tried again, the first that has something left: `other`, the item that ended the whole pack, so that it
   * costs this one nothing; `platform`, which took the group; `caller`, whose retries are for such an end. Nobody's: it is final.
   */
  readonly again: readonly ("other" | "platform" | "caller")[];
}

/** @throws RangeError for a job that is no pack or has not ended */
export function itemEndsOf(pack: Job): readonly ItemEnd[] {
  const { child, phase, containers } = pack;
  const items = child?.items;
  if (items === undefined || !hasEnded(phase)) throw new RangeError("Only a pack that has ended has ends of items.");
  return items.map((index, at): ItemEnd => {
    const container = containers[at]?.name ?? "";
    const { state, verdict, byOther } = outcomeOf(pack, phase, container);
    return {
      index,
      container,
      state,
      verdict,
      again: byOther ? ["other"] : againAfter(pack, phase, { state, verdict }),
    };
  });
}

function outcomeOf(pack: Job, phase: TerminalPhase, container: string): Outcome & { readonly byOther?: true } {
  const end = pack.observed.ends.find((each) => each.container === container);
  if (end !== undefined) {
    const { exitCode } = end;
    const reason = reasonOfEnd(end, pack);
    return exitCode === 0
      ? { state: "Succeeded", verdict: { reason, exitCode } }
      : failed({ reason, exitCode, container });
  }
  const { container: named, exitCode, ...verdict } = phase.verdict;
  if (phase.state !== "Failed") return { state: phase.state, verdict: { ...verdict, ...codeOf(phase) } };
  const view = pack.observed.containers.find((each) => each.container === container);
  if (view?.state === "Terminated") {
    if (view.exitCode === undefined) return failed({ reason: "ExitUnknown", container });
    if (platformCodes.has(view.exitCode)) return failed({ reason: isSpot(pack) ? "SpotEvicted" : "PlatformRestart" });
  }
  if (named === container) return failed({ ...verdict, container, ...(exitCode === undefined ? {} : { exitCode }) });
  const isOfOther = named !== undefined && entryOf(verdict.reason).rule !== "free" && mayRunAgain(phase);
  return isOfOther ? { ...failed(verdict), byOther: true } : failed(verdict);
}

/** The group says of all that they ended with 0. */
function codeOf({ state, verdict: { exitCode } }: TerminalPhase): Pick<Verdict, "exitCode"> {
  return state === "Succeeded" && exitCode !== undefined ? { exitCode } : {};
}

/** What was stopped may run again only where it is certain that it does not run still. */
function mayRunAgain({ group }: TerminalPhase): boolean {
  return group === "gone" || group === "stopped";
}

function againAfter({ options }: Job, phase: TerminalPhase, { state, verdict }: Outcome): ItemEnd["again"] {
  if (state === "Succeeded" || state === "Canceled" || state === "Stopped" || !mayRunAgain(phase)) return [];
  const isTaken = verdict.reason === "PlatformRestart" || verdict.reason === "SpotEvicted";
  const isAsked = retryAsked(options.retryOn, verdict) ?? entryOf(verdict.reason).rule !== "end";
  return [...(isTaken ? (["platform"] as const) : []), ...(isAsked ? (["caller"] as const) : [])];
}
