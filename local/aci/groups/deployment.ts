import type { Clock } from "../clock.ts";
import type { Probe } from "../definition/definition.ts";
import type { Engine, EngineGroup, GroupSpec, Report } from "../engine.ts";
import { PLAIN } from "./appearance.ts";
import type { Appearance } from "./appearance.ts";
import { failureOf, MOUNT_FAILED, START_FAILED } from "./course.ts";
import type { Course, Plan } from "./course.ts";
import { isActive, newLife, PROVISIONING_LIMIT, step } from "./life.ts";
import type { Command, GroupLife, Signal } from "./life-types.ts";
import { watch } from "./probes.ts";
import { CREATING, lifeOf, scriptOfPut } from "./script.ts";

/** As the service writes it, but for the container's own id, which has no meaning here. */
const KILLING = "Killing container with id.";

/** Milliseconds between two tries to mount a volume. */
const MOUNT_AGAIN = 20_000;

/** What an earlier life of this service was asked to do otherwise is forgotten. */
const TAKEN_UP: Plan = { delay: 0, course: { type: "usual" }, put: 1, location: "" };

/**
 * One deployment of a group: the pure life, the engine that acts for it, and the clock between them. Signals are taken one after
 * another, however deep in each other's calls they come. A deployment that was replaced hears nothing any more.
 */
export class Deployment {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #engine: EngineGroup;
  readonly #timers = new Set<() => void>();
  readonly #waiting: Signal[] = [];
  /** What ends the probes of each running container. */
  readonly #watches = new Map<number, () => void>();
  readonly #spec: GroupSpec;
  #life: GroupLife;
  #appearance: Appearance = PLAIN;
  /** Starts that are still to be refused, and why. */
  #refusal = { left: 0, message: "" };
  /** Of the interruption under way: the exit code that is shown, where it is not the usual one. */
  #platformCode: number | null | undefined;
  #draining = false;
  #closed = false;

  private constructor(
    life: GroupLife,
    spec: GroupSpec,
    clock: Clock,
    changed: () => void,
    open: (report: (report: Report) => void) => EngineGroup,
  ) {
    this.#life = life;
    this.#spec = spec;
    this.#clock = clock;
    this.#changed = changed;
    this.#draining = true;
    this.#engine = open((report) => this.signal(this.#withCode(report)));
    this.#draining = false;
  }

  /** A new deployment; nothing happens until {@link begin}. */
  static open(engine: Engine, spec: GroupSpec, clock: Clock, changed: () => void): Deployment {
    return new Deployment(newLife(spec.restartPolicy, spec.members), spec, clock, changed, (report) =>
      engine.open(spec, report),
    );
  }

  /** A deployment that an earlier life of this service began. */
  static reopen(engine: Engine, spec: GroupSpec, life: GroupLife, clock: Clock, changed: () => void): Deployment {
    const survivors = life.members.flatMap(({ current }, member) =>
      current?.state === "Running" ? [{ member, startTime: current.startTime }] : [],
    );
    const deployment = new Deployment(life, spec, clock, changed, (report) => engine.reopen(spec, survivors, report));
    deployment.#goOn();
    return deployment;
  }

  get life(): GroupLife {
    return this.#life;
  }

  get engine(): EngineGroup {
    return this.#engine;
  }

  get active(): boolean {
    return isActive(this.#life);
  }

  get appearance(): Appearance {
    return this.#appearance;
  }

  /** From now on it looks so to callers. */
  appear(change: Partial<Appearance>): void {
    this.#appearance = { ...this.#appearance, ...change };
  }

  begin(plan: Plan): void {
    const { course, delay, location } = plan;
    const start = this.#clock.now() + delay;
    if (course.type === "script") {
      this.#play(plan, course);
      return;
    }
    this.#awaitDeadline(this.#clock.now());
    switch (course.type) {
      case "stuckPending":
        return;
      case "mountFailure":
        this.#failMount(start, start + (course.seconds ?? Infinity) * 1000, course.message ?? MOUNT_FAILED);
        return;
      case "provisioningFailure":
        this.#later(start + course.afterSeconds * 1000, (at) =>
          this.signal({ type: "provisioningFailed", at, ...failureOf(course.cause, location, course.message) }),
        );
        return;
      case "startFailure":
        this.#refusal = { left: course.times ?? Infinity, message: course.message ?? START_FAILED };
        if (course.failAfterSeconds !== undefined) {
          this.#later(start + course.failAfterSeconds * 1000, (at) => this.signal({ type: "deadline", at }));
        }
        break;
      case "restartAnyway":
        this.#life = { ...this.#life, restartsAnyway: course.times };
        break;
      case "usual":
        break;
    }
    this.#later(start, (at) => this.signal({ type: "deploy", at }));
  }

  /** Tries again and again, as often as the kubelet does. */
  #failMount(start: number, end: number, message: string): void {
    this.#later(start, (at) => {
      if (at >= end) {
        this.signal({ type: "deploy", at });
        return;
      }
      this.signal({ type: "mountFailed", at, message });
      this.#failMount(Math.min(at + MOUNT_AGAIN, end), end, message);
    });
  }

  /** The engine runs nothing: views come and go with the time since now. */
  #play({ put }: Plan, { script }: Extract<Course, { type: "script" }>): void {
    const since = this.#clock.now();
    const inits = this.#spec.members.filter(({ init }) => init).length;
    const views = scriptOfPut(script, put, this.#spec.members.length - inits);
    this.appear({ script: { views, since, stoppedAt: undefined } });
    const known = [CREATING, ...views].filter(({ status }) => status === undefined);
    for (const view of known) {
      this.#later(since + view.after * 1000, (at) => this.signal({ type: "played", at, ...lifeOf(view, inits) }));
    }
  }

  #awaitDeadline(since: number): void {
    this.#later(since + PROVISIONING_LIMIT, (at) => this.signal({ type: "deadline", at }));
  }

  /** Ends every container; a group that ended itself stays what it is. */
  async stop(): Promise<void> {
    const at = this.#clock.now();
    if (!this.active) return;
    const { script } = this.#appearance;
    if (script) {
      this.#cancelTimers();
      this.appear({ script: { ...script, stoppedAt: at } });
    }
    this.signal({ type: "stop", at });
    this.#life.members.forEach((member, index) => {
      if (member.current?.state === "Running") this.signal({ type: "killing", member: index, at, message: KILLING });
    });
    await this.#engine.kill();
    this.signal({ type: "stopped", at: this.#clock.now() });
  }

  /**
   * Ends what runs as the platform does: for maintenance, or because it wants Spot capacity back.
   *
   * @param code shown as the exit code, in place of the usual one
   */
  interrupt(reason: "Platform" | "Evicted", code?: number | null): void {
    const at = this.#clock.now();
    this.#platformCode = code;
    this.#life.members.forEach(({ current }, member) => {
      if (current?.state !== "Running") return;
      this.signal({ type: "killing", member, at, message: KILLING });
      this.#engine.killMember(member, reason);
    });
  }

  /** The same, `seconds` from now. */
  interruptIn(seconds: number, reason: "Platform" | "Evicted", code?: number | null): void {
    this.#later(this.#clock.now() + seconds * 1000, () => this.interrupt(reason, code));
  }

  #withCode(report: Report): Signal {
    const byPlatform = report.type === "exited" && (report.reason === "Platform" || report.reason === "Evicted");
    return byPlatform && this.#platformCode !== undefined ? { ...report, platformCode: this.#platformCode } : report;
  }

  /** From here on nothing changes its life. */
  detach(): void {
    this.#closed = true;
    this.#cancelTimers();
    for (const member of [...this.#watches.keys()]) this.#unwatch(member);
  }

  /** Ends it for good and takes away what it left. */
  async close(): Promise<void> {
    this.detach();
    await this.#engine.kill();
    await this.#engine.dispose();
  }

  #cancelTimers(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  signal(signal: Signal): void {
    if (this.#closed) return;
    this.#waiting.push(signal);
    if (this.#draining) return;
    this.#drain();
  }

  #drain(): void {
    this.#draining = true;
    try {
      for (let signal = this.#waiting.shift(); signal; signal = this.#waiting.shift()) {
        const { life, commands } = step(this.#life, signal);
        if (life === this.#life && commands.length === 0) continue;
        this.#life = life;
        if (signal.type === "started") this.#watch(signal.member);
        if (signal.type === "exited") this.#unwatch(signal.member);
        this.#changed();
        for (const command of commands) this.#act(command);
      }
    } finally {
      this.#draining = false;
    }
  }

  #watch(member: number): void {
    const container = this.#spec.members[member];
    if (!container) return;
    const say = (type: "unhealthy" | "killing", message: string): void =>
      this.signal({ type, member, at: this.#clock.now(), message });
    const start = (probe: Probe | undefined, kind: string, lost: () => void): (() => void) | undefined =>
      probe &&
      watch({
        clock: this.#clock,
        probe,
        look: () => this.#engine.probe(member, probe),
        failed: (message) => say("unhealthy", `${kind} probe failed: ${message}`),
        lost,
      });
    const ends = [
      start(container.liveness, "Liveness", () => {
        say("killing", `Container ${container.name} failed liveness probe, will be restarted`);
        this.#engine.killMember(member, "Unhealthy");
      }),
      // A container that is not ready gets no traffic, which nothing here routes: its events are all there is to see.
      start(container.readiness, "Readiness", () => undefined),
    ];
    this.#watches.set(member, () => {
      for (const end of ends) end?.();
    });
  }

  #unwatch(member: number): void {
    this.#watches.get(member)?.();
    this.#watches.delete(member);
  }

  #act(command: Command): void {
    switch (command.do) {
      case "pull":
        this.#engine.pull(command.member);
        return;
      case "start":
        this.#start(command.member);
        return;
      case "rest":
        this.#later(command.until, (at) => this.signal({ type: "rested", member: command.member, at }));
    }
  }

  #start(member: number): void {
    if (this.#refusal.left === 0) {
      this.#engine.start(member);
      return;
    }
    this.#refusal.left -= 1;
    this.signal({ type: "startRefused", member, at: this.#clock.now(), message: this.#refusal.message });
  }

  #later(time: number, call: (due: number) => void): void {
    const cancel = this.#clock.at(time, (due) => {
      this.#timers.delete(cancel);
      call(due);
    });
    this.#timers.add(cancel);
  }

  /** Takes up what was under way, then what the engine reported of the containers that ran. */
  #goOn(): void {
    const at = this.#clock.now();
    if (!this.active) return;
    if (this.#life.provisioning === "Pending") this.begin(TAKEN_UP);
    if (this.#life.provisioning === "Creating") this.#awaitDeadline(at);
    if (this.#life.phase === "Stopping") {
      void this.#engine.kill().then(() => this.signal({ type: "stopped", at: this.#clock.now() }));
    }
    const before = this.#life.members;
    this.#drain();
    before.forEach((member, index) => {
      if (member.step === "pulling") this.#act({ do: "pull", member: index });
      if (member.step === "starting") this.#act({ do: "start", member: index });
      if (member.step === "resting") this.#act({ do: "rest", member: index, until: at });
    });
  }
}
