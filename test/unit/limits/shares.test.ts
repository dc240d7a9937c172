import { describe, expect, it } from "vitest";
import { day, hour, minute } from "../../../src/shared/base/duration.ts";
import {
  callUp,
  returnShare,
  shareIn,
  takeShare,
  type ShareRules,
  type SharedWindows,
} from "../../../src/shared/limits/shares.ts";
import { emptyWindows } from "../../../src/shared/limits/windows.ts";
import { start } from "../../kit/kit.ts";

const rules = (weights: Readonly<Record<string, number>> = {}): ShareRules => ({
  limits: { perHour: 300, perFiveMinutes: 100 },
  reserve: 0.1,
  weightOf: (team) => weights[team] ?? 1,
});
const fair = rules();

/** Takes as many as there are for a team. */
function takeAll(before: SharedWindows, team: string, now: number, by = fair): { state: SharedWindows; taken: number } {
  let state = before;
  for (let taken = 0; ; taken++) {
    const result = takeShare(state, team, by, now);
    if (!result.ok) return { state, taken };
    ({ state } = result);
  }
}

function take(state: SharedWindows, team: string, now: number, by = fair): SharedWindows {
  const result = takeShare(state, team, by, now);
  if (!result.ok) throw new Error(`${team} gets no create`);
  return result.state;
}

/** Jobs that wait, called up every half a minute, each paying at once. */
class Line {
  state: SharedWindows = emptyWindows;
  readonly waiting = new Map<string, number>();
  readonly drawn: string[] = [];

  readonly by: ShareRules;

  constructor(by: ShareRules) {
    this.by = by;
  }

  pass(now: number): void {
    const { called, state } = callUp(this.state, this.waiting, this.by, now);
    this.state = state;
    for (const team of called) {
      this.state = take(this.state, team, now, this.by);
      this.waiting.set(team, (this.waiting.get(team) ?? 0) - 1);
      this.drawn.push(team);
    }
  }
}

describe("the windows of several teams", () => {
  it("are one team's alone while no other was active in the last day", () => {
    const first = takeAll(emptyWindows, "a", start);
    expect(first.taken).toBe(100);
    const withB = take(emptyWindows, "b", start - day - 1);
    expect(takeAll(withB, "a", start).taken).toBe(100);
  });

  it("keep their last tenth for a team that drew less than its share", () => {
    const { state, taken } = takeAll(take(emptyWindows, "b", start - 2 * hour), "a", start);
    expect(taken).toBe(90);
    expect(takeAll(state, "b", start).taken).toBe(10);
  });

  it("give nobody more than there is, whatever was kept", () => {
    let state = take(emptyWindows, "b", start - 2 * hour);
    let total = 0;
    for (let at = start; at < start + hour; at += minute)
      for (const team of ["a", "b"]) {
        const result = takeAll(state, team, at);
        ({ state } = result);
        total += result.taken;
      }
    expect(total).toBe(300);
  });

  it("say when there is a create for a team again, though others may have one now", () => {
    const { state } = takeAll(take(emptyWindows, "b", start - 2 * hour), "a", start);
    expect(takeShare(state, "a", fair, start)).toEqual({ ok: false, at: start + 6 * minute });
    expect(shareIn(state, "a", fair, start)).toBe(0);
    expect(shareIn(state, "b", fair, start)).toBe(10);
    expect(shareIn(state, "a", fair, start + 6 * minute)).toBe(90);
  });

  it("give a create back with what was paid for it", () => {
    const before = take(emptyWindows, "a", start, rules({ a: 4 }));
    const back = returnShare(take(before, "a", start, rules({ a: 4 })), "a", rules({ a: 4 }), start);
    expect(back.teams).toEqual(before.teams);
    expect(returnShare(before, "c", fair, start)).toEqual(before);
    expect(returnShare(before, "a", fair, start - 2 * hour)).toEqual(before);
  });
});

describe("of the teams that wait", () => {
  it("each gets creates by its weight", () => {
    const line = new Line(rules({ a: 3, b: 1 }));
    for (const team of ["a", "b"]) line.waiting.set(team, 1000);
    for (let at = start; line.drawn.length < 1000; at += minute / 2) line.pass(at);
    const ofA = line.drawn.slice(0, 1000).filter((team) => team === "a").length;
    expect(ofA / (1000 - ofA)).toBeGreaterThan(2.7);
    expect(ofA / (1000 - ofA)).toBeLessThan(3.3);
  });

  it("one that was idle has no credit: it begins at the least of those that wait", () => {
    const line = new Line({ ...fair, reserve: 0 });
    line.waiting.set("a", 10_000);
    for (let at = start; at < start + 3 * hour; at += minute / 2) line.pass(at);
    const begun = line.drawn.length;
    line.waiting.set("b", 1000);
    for (let at = start + 3 * hour; at < start + 5 * hour; at += minute / 2) line.pass(at);
    const since = line.drawn.slice(begun);
    const ofB = since.filter((team) => team === "b").length;
    expect(Math.abs(ofB - since.length / 2)).toBeLessThan(since.length / 20);
  });

  it("one that comes when nobody waits has no credit for what it did not draw, either", () => {
    const flooded = takeAll(emptyWindows, "a", start).state;
    const alone = callUp(flooded, new Map([["b", 1]]), fair, start + 6 * minute).state;
    const both = callUp(
      alone,
      new Map([
        ["b", 50],
        ["a", 50],
      ]),
      fair,
      start + 6.5 * minute,
    );
    expect(both.called.filter((team) => team === "a").length).toBeGreaterThan(40);
  });

  it("one that waited before the service stood still begins anew", () => {
    const waits = callUp(
      emptyWindows,
      new Map([["b", 1]]),
      { ...fair, limits: { perHour: 0, perFiveMinutes: 0 } },
      start,
    ).state;
    const flooded = takeAll(waits, "a", start).state;
    const later = callUp(
      flooded,
      new Map([["b", 1]]),
      { ...fair, limits: { perHour: 0, perFiveMinutes: 0 } },
      start + hour,
    );
    expect(later.state.teams?.["b"]?.paid).toBe(later.state.floor);
  });

  it("nobody is called up whose team may draw nothing, and those behind are not held up by it", () => {
    const { state } = takeAll(take(emptyWindows, "b", start - 2 * hour), "a", start);
    const { called } = callUp(
      state,
      new Map([
        ["a", 1000],
        ["b", 3],
      ]),
      fair,
      start,
    );
    expect(called).toEqual(["b", "b", "b"]);
  });

  it("a team that is idle for a day is forgotten", () => {
    const state = callUp(take(emptyWindows, "b", start), new Map([["a", 1]]), fair, start + day + minute).state;
    expect(Object.keys(state.teams ?? {})).toEqual(["a"]);
  });
});

it("a team whose jobs come one by one is not kept waiting by a flood, and a flood alone has all of it again", () => {
  const line = new Line(fair);
  line.waiting.set("a", 100_000);
  const waits: number[] = [];
  let posted: number | undefined;
  for (let at = start; at <= start + 62 * minute; at += minute / 2) {
    const passed = (at - start) / minute;
    if (passed >= 5 && passed <= 60 && Math.round((passed - 5) * 2) % 12 === 0) {
      line.waiting.set("b", 1);
      posted = at;
    }
    line.pass(at);
    if (posted !== undefined && line.waiting.get("b") === 0) {
      waits.push(at - posted);
      posted = undefined;
    }
  }
  expect(waits).toHaveLength(10);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2 * minute);
  const later = start + day + 2 * hour;
  for (let at = later; at < later + hour; at += minute / 2) line.pass(at);
  const before = line.drawn.length;
  for (let at = later + hour; at < later + 3 * hour; at += minute / 2) line.pass(at);
  expect((line.drawn.length - before) / 2).toBeGreaterThan(290);
});

it("the row of fifty teams with the longest names and the smallest weight fits a property of the table, and is read as it was written", () => {
  const by: ShareRules = { ...rules(), weightOf: () => 0.001 };
  const names = Array.from({ length: 50 }, (_, n) => `${n}`.padEnd(64, "x"));
  let state: SharedWindows = emptyWindows;
  for (let at = start; at < start + hour; at += 6 * minute) {
    const { called, state: next } = callUp(state, new Map(names.map((name) => [name, 2])), by, at);
    state = next;
    for (const name of called) state = take(state, name, at, by);
  }
  const written = JSON.stringify(state);
  // A string property holds 64 KiB in UTF-16.
  expect(written.length).toBeLessThan(32 * 1024);
  expect(JSON.parse(written)).toEqual(state);
});

it("a clock that goes back by an hour gives nobody more creates than there are, and keeps nobody waiting beyond an hour", () => {
  let state = take(emptyWindows, "b", start);
  const first = takeAll(state, "a", start);
  ({ state } = first);
  const back = takeAll(state, "a", start - hour);
  expect(back.taken).toBe(0);
  const refused = takeShare(state, "a", fair, start - hour);
  expect(refused).toEqual({ ok: false, at: start + 6 * minute });
  const both = new Map([
    ["a", 1],
    ["b", 1],
  ]);
  const { called } = callUp(state, both, fair, start - hour);
  expect(called).toEqual(["b"]);
});
