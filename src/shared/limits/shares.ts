import { day, minute } from "../base/duration.ts";
import { countsOf, moveTo, type Taken, type WindowLimits, type Windows } from "./windows.ts";

/**
 * Fair shares of creates among teams, as arithmetic, without I/O. A team pays one create, divided by its weight, when its create is
 * sent; of the teams that wait the one that has paid the least is called up next. Plain data goes in and comes out; `rate-budget.ts`
 * keeps it in storage, in the row of the region's windows.
 */
interface Share {
  /** Creates that the team paid for, divided by its weight. Only differences mean anything. */
  readonly paid: number;
  /** When it last drew a create, or waited for one. */
  readonly activeAt: number;
  /** When it was last seen waiting; absent where it never was. */
  readonly waitedAt?: number | undefined;
  /** Its part of the windows' uses, by the same minutes. */
  readonly uses: readonly number[];
}

export interface SharedWindows extends Windows {
  readonly teams?: Readonly<Record<string, Share>> | undefined;
  /** What whoever drew last had paid before: a team that comes when nobody waits begins there. */
  readonly floor?: number | undefined;
}

export interface ShareRules {
  readonly limits: WindowLimits;
  /** Part of each window that is kept for teams that drew less than their share, 0 to 1. */
  readonly reserve: number;
  readonly weightOf: (team: string) => number;
}

/** A team that drew nothing and waited for nothing in this time has no part of the windows. */
const activeTime = day;
/** The next is called up every half a minute. A team that was not seen waiting for this long begins anew. */
const pauseTime = 3 * minute;

/** Takes one use for a team, or says when there will be one for it. */
export function takeShare(before: SharedWindows, team: string, rules: ShareRules, now: number): Taken<SharedWindows> {
  const state = at(before, now);
  const current = state.minute;
  for (let ahead = 0; ahead <= state.uses.length; ahead++) {
    const then = at(state, (current + ahead) * minute);
    if (capacityOf(then, team, rules, now) === 0) continue;
    if (ahead > 0) return { ok: false, at: (current + ahead) * minute };
    return { ok: true, state: drawn(state, team, rules, now) };
  }
  return { ok: false, at: (current + state.uses.length) * minute };
}

/** How many uses there are for a team now. */
export function shareIn(before: SharedWindows, team: string, rules: ShareRules, now: number): number {
  return capacityOf(at(before, now), team, rules, now);
}

/** A use of that time did not reach ACI: the team has it back with what it paid. */
export function returnShare(
  { teams = {}, ...windows }: SharedWindows,
  team: string,
  { weightOf }: Pick<ShareRules, "weightOf">,
  takenAt: number,
): SharedWindows {
  const share = teams[team];
  const index = windows.uses.length - 1 - (windows.minute - Math.floor(takenAt / minute));
  if (share === undefined || (share.uses[index] ?? 0) < 1) return { teams, ...windows };
  const uses = share.uses.map((count, n) => (n === index ? count - 1 : count));
  return { ...windows, teams: { ...teams, [team]: { ...share, uses, paid: share.paid - 1 / weightOf(team) } } };
}

/**
 * Who is called up now, in order, as far as there are creates for them. Nobody pays yet.
 *
 * @param waiting how many of each team wait
 * @returns a team for each job that is called up, and the state in which those that begin to wait have their place
 */
export function callUp(
  before: SharedWindows,
  waiting: ReadonlyMap<string, number>,
  rules: ShareRules,
  now: number,
): { readonly called: readonly string[]; readonly state: SharedWindows } {
  const state = withWaiting(at(before, now), waiting, now);
  const left = new Map(waiting);
  const called: string[] = [];
  let ahead = state;
  for (;;) {
    const next = nextOf(left, ahead, rules, now);
    if (next === undefined) return { called, state };
    called.push(next);
    ahead = drawn(ahead, next, rules, now);
  }
}

/** No start is expected later than this. */
const foreseen = day;

/** Who is called up if nobody else comes, and when, in order; a team for each job, up to a number. */
export function expectedCalls(
  before: SharedWindows,
  waiting: ReadonlyMap<string, number>,
  rules: ShareRules,
  max: number,
  now: number,
): readonly { readonly team: string; readonly at: number }[] {
  const left = new Map(waiting);
  const calls: { team: string; at: number }[] = [];
  let state = withWaiting(at(before, now), waiting, now);
  for (let time = now; time < now + foreseen && calls.length < max && [...left.values()].some((count) => count > 0);) {
    const team = nextOf(left, state, rules, time);
    if (team === undefined) {
      time = (Math.floor(time / minute) + 1) * minute;
      state = at(state, time);
    } else {
      calls.push({ team, at: time });
      state = drawn(state, team, rules, time);
    }
  }
  return calls;
}

/** The team that is called up next, which leaves one fewer of it. */
function nextOf(left: Map<string, number>, state: SharedWindows, rules: ShareRules, now: number): string | undefined {
  const open = [...left].filter(([team, count]) => count > 0 && capacityOf(state, team, rules, now) > 0);
  const next = least(
    open.map(([team]) => team),
    state,
  );
  if (next !== undefined) left.set(next, (left.get(next) ?? 0) - 1);
  return next;
}

/** Of these teams the one that paid the least; of several the first by name. */
function least(teams: readonly string[], { teams: shares = {} }: SharedWindows): string | undefined {
  const paid = (team: string): number => shares[team]?.paid ?? 0;
  return teams.toSorted((a, b) => paid(a) - paid(b) || (a < b ? -1 : 1))[0];
}

/** A team that begins to wait has paid no less than the least of those that wait: there is no credit for idleness. */
function withWaiting(state: SharedWindows, waiting: ReadonlyMap<string, number>, now: number): SharedWindows {
  const { teams = {}, floor = 0 } = state;
  const waited = ({ waitedAt = -Infinity }: Share): boolean => waitedAt > now - pauseTime;
  const present = [...waiting].flatMap(([team, count]) => (count > 0 ? [team] : []));
  const paid = present.flatMap((team) => (teams[team] && waited(teams[team]) ? [teams[team].paid] : []));
  const start = paid.length > 0 ? Math.min(...paid) : floor;
  const begun = present.map((team): [string, Share] => {
    const share = teams[team] ?? idle;
    const own = waited(share) ? share.paid : Math.max(share.paid, start);
    return [team, { ...share, paid: own, activeAt: now, waitedAt: now }];
  });
  return { ...state, teams: { ...teams, ...Object.fromEntries(begun) } };
}

const idle: Share = { paid: 0, activeAt: 0, uses: [] };

function drawn(state: SharedWindows, team: string, { weightOf }: ShareRules, now: number): SharedWindows {
  const { teams = {}, floor = 0, uses } = state;
  const share = teams[team] ?? { ...idle, paid: floor };
  return {
    ...state,
    uses: plusOne(uses, uses.length),
    floor: Math.max(floor, share.paid),
    teams: {
      ...teams,
      [team]: {
        ...share,
        uses: plusOne(share.uses, uses.length),
        paid: share.paid + 1 / weightOf(team),
        activeAt: now,
      },
    },
  };
}

/** One more in the newest minute. */
function plusOne(uses: readonly number[], length: number): readonly number[] {
  const all = [...Array<number>(Math.max(0, length - uses.length)).fill(0), ...uses];
  return all.map((count, n) => (n === all.length - 1 ? count + 1 : count));
}

/** The state with the windows of that time. Teams that were idle for long are forgotten. */
function at(state: SharedWindows, now: number): SharedWindows {
  const current = Math.floor(now / minute);
  const moved = moveTo(state, current);
  const teams = Object.entries(state.teams ?? {})
    .filter(([, { activeAt }]) => activeAt > now - activeTime)
    .map(([team, share]) => [
      team,
      { ...share, uses: moveTo({ minute: state.minute, uses: share.uses }, current).uses },
    ]);
  return { ...state, ...moved, teams: Object.fromEntries(teams) as Record<string, Share> };
}

/**
 * How many creates there are for a team. The last part of each window is for teams that drew less than their share of it, while more
 * than one team is active.
 */
function capacityOf(
  state: SharedWindows,
  team: string,
  { limits, reserve, weightOf }: ShareRules,
  now: number,
): number {
  const { teams = {} } = state;
  const others = Object.entries(teams).filter(([name, share]) => name !== team && share.activeAt > now - activeTime);
  const weight = [team, ...others.map(([name]) => name)].reduce((sum, name) => sum + weightOf(name), 0);
  const own = countsOf(teams[team]?.uses ?? []);
  const all = countsOf(state.uses);
  const within = (window: "fiveMinutes" | "hour", limit: number): number => {
    const free = limit - all[window];
    if (others.length === 0) return free;
    const open = Math.floor(limit * (1 - reserve)) - all[window];
    const share = (limit * weightOf(team)) / weight - own[window];
    return Math.min(free, Math.max(open, Math.ceil(share)));
  };
  return Math.max(0, Math.min(within("hour", limits.perHour), within("fiveMinutes", limits.perFiveMinutes)));
}
