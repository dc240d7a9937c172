import type { Clock } from "../clock.ts";
import type { Engine, EngineGroup, GroupSpec, MemberSpec, Report } from "../engine.ts";
import type { KillReason } from "../groups/life-types.ts";
import { rfc3339 } from "./ringlog.ts";

/**
 * Runs nothing. A container's variables say what it would do: `SIM_START_SECONDS` until it starts (0), `SIM_RUN_SECONDS` until it
 * ends (never), `SIM_EXIT_CODE` (0), `SIM_OUTPUT`, written as it starts, `SIM_LINES_PER_SECOND` (0) of 60 bytes while it runs,
 * `SIM_LAST_OUTPUT`, written as it ends. All of it follows from the clock, so that thousands of groups
 * cost no more than their definitions.
 *
 * @param defaults what holds for containers without such a variable
 */
export function simulatedEngine(clock: Clock, defaults: SimulatedDefaults = {}): Engine {
  return {
    name: "simulated",
    check: () => Promise.resolve(undefined),
    open: (group, report) => new SimulatedGroup(withDefaults(group, defaults), report, clock),
    reopen(group, running, report) {
      const reopened = new SimulatedGroup(withDefaults(group, defaults), report, clock);
      for (const { member, startTime } of running) reopened.goOn(member, startTime);
      return reopened;
    },
    close: () => Promise.resolve(),
  };
}

/** Variables by name. */
export type SimulatedDefaults = Readonly<Record<string, string>>;

function withDefaults(group: GroupSpec, defaults: SimulatedDefaults): GroupSpec {
  const missing = (member: MemberSpec) =>
    Object.entries(defaults).filter(([name]) => variable(member, name) === undefined);
  return {
    ...group,
    members: group.members.map((member) => ({ ...member, env: [...member.env, ...missing(member)] })),
  };
}

/** The exit code of a container that was killed: 128 + SIGKILL. */
const KILLED = 137;

interface Run {
  startTime: number | undefined;
  endTime: number | undefined;
  cancel: (() => void) | undefined;
}

class SimulatedGroup implements EngineGroup {
  readonly #spec: GroupSpec;
  readonly #report: (report: Report) => void;
  readonly #clock: Clock;
  readonly #runs = new Map<number, Run>();

  constructor(spec: GroupSpec, report: (report: Report) => void, clock: Clock) {
    this.#spec = spec;
    this.#report = report;
    this.#clock = clock;
  }

  pull(member: number): void {
    this.#report({ type: "pulled", member, at: this.#clock.now() });
  }

  start(member: number): void {
    const start = this.#clock.now() + seconds(this.#spec.members[member], "SIM_START_SECONDS", 0);
    const run: Run = { startTime: undefined, endTime: undefined, cancel: undefined };
    this.#runs.set(member, run);
    run.cancel = this.#clock.at(start, () => {
      this.goOn(member, start);
      this.#report({ type: "started", member, at: start });
    });
  }

  /** A container that runs since `startTime`. */
  goOn(member: number, startTime: number): void {
    const container = this.#spec.members[member];
    const end = startTime + seconds(container, "SIM_RUN_SECONDS", Infinity);
    const run: Run = { startTime, endTime: undefined, cancel: undefined };
    this.#runs.set(member, run);
    if (end === Infinity) return;
    run.cancel = this.#clock.at(end, () => {
      this.#end(member, run, end, Number(variable(container, "SIM_EXIT_CODE") ?? 0));
    });
  }

  #end(member: number, run: Run, at: number, exitCode: number, reason?: KillReason): void {
    run.endTime = at;
    run.cancel = undefined;
    this.#report({ type: "exited", member, at, exitCode, ...(reason ? { reason } : {}) });
  }

  kill(): Promise<void> {
    for (const member of this.#runs.keys()) this.#killOne(member);
    return Promise.resolve();
  }

  killMember(member: number, reason: KillReason): void {
    this.#killOne(member, reason);
  }

  #killOne(member: number, reason?: KillReason): void {
    const run = this.#runs.get(member);
    if (!run || run.endTime !== undefined) return;
    run.cancel?.();
    if (run.startTime !== undefined) this.#end(member, run, this.#clock.now(), KILLED, reason);
  }

  readLog(member: number): Promise<string> {
    const run = this.#runs.get(member);
    const container = this.#spec.members[member];
    if (run?.startTime === undefined) return Promise.resolve("");
    const { startTime, endTime } = run;
    const written = (name: string, time: number): string =>
      (variable(container, name) ?? "").replace(/^(?=[^])/gm, `${rfc3339(time)} `);
    const last = endTime === undefined ? "" : written("SIM_LAST_OUTPUT", endTime);
    const rate = Number(variable(container, "SIM_LINES_PER_SECOND") ?? 0);
    return Promise.resolve(
      written("SIM_OUTPUT", startTime) + steadyLines(rate, startTime, endTime ?? this.#clock.now()) + last,
    );
  }

  probe(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  ip(): string | undefined {
    return undefined;
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#runs.clear();
  }
}

/** More lines than anybody is shown are not made. */
const SHOWN_LINES = 70_000;

/** Numbered lines of 60 bytes at a rate per second: the newest of them. */
function steadyLines(perSecond: number, from: number, to: number): string {
  const count = Math.floor(((to - from) / 1000) * perSecond);
  const lines: string[] = [];
  for (let index = Math.max(0, count - SHOWN_LINES); index < count; index += 1)
    lines.push(`${rfc3339(from + (index / perSecond) * 1000)} ${`line ${index} `.padEnd(59, ".")}\n`);
  return lines.join("");
}

const variable = (container: MemberSpec | undefined, name: string): string | undefined =>
  container?.env.find(([known]) => known === name)?.[1];

function seconds(container: MemberSpec | undefined, name: string, otherwise: number): number {
  const given = Number(variable(container, name) ?? otherwise);
  return (Number.isNaN(given) ? otherwise : given) * 1000;
}
