import type { Clock } from "../clock.ts";
import type { Probe } from "../definition/definition.ts";
import type { Engine, EngineGroup, GroupSpec, Report } from "../engine.ts";
import { isActive, newLife, PROVISIONING_LIMIT, step } from "./life.ts";
import type { Command, GroupLife, Signal } from "./life.ts";
import { watch } from "./probes.ts";

/** As the service writes it, but for the container's own id, which has no meaning here. */
const KILLING = "Killing container with id.";

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
    this.#engine = open((report) => this.signal(report));
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

  /** Pulls and starts after `delay` milliseconds; never, where that is `Infinity`. */
  begin(delay: number): void {
    const now = this.#clock.now();
    if (delay !== Infinity) this.#later(now + delay, (at) => this.signal({ type: "deploy", at }));
    this.#awaitDeadline(now);
  }

  #awaitDeadline(since: number): void {
    this.#later(since + PROVISIONING_LIMIT, (at) => this.signal({ type: "deadline", at }));
  }

  /** Ends every container; a group that ended itself stays what it is. */
  async stop(): Promise<void> {
    const at = this.#clock.now();
    if (!this.active) return;
    this.signal({ type: "stop", at });
    this.#life.members.forEach((member, index) => {
      if (member.current?.state === "Running") this.signal({ type: "killing", member: index, at, message: KILLING });
    });
    await this.#engine.kill();
    this.signal({ type: "stopped", at: this.#clock.now() });
  }

  /** Ends what runs as the platform does: for maintenance, or because it wants Spot capacity back. */
  interrupt(reason: "Platform" | "Evicted"): void {
    const at = this.#clock.now();
    this.#life.members.forEach(({ current }, member) => {
      if (current?.state !== "Running") return;
      this.signal({ type: "killing", member, at, message: KILLING });
      this.#engine.killMember(member, reason);
    });
  }

  /** From here on nothing changes its life. */
  detach(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const member of [...this.#watches.keys()]) this.#unwatch(member);
  }

  /** Ends it for good and takes away what it left. */
  async close(): Promise<void> {
    this.detach();
    await this.#engine.kill();
    await this.#engine.dispose();
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
        this.#engine.start(command.member);
        return;
      case "rest":
        this.#later(command.until, (at) => this.signal({ type: "rested", member: command.member, at }));
    }
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
    if (this.#life.provisioning === "Pending") this.begin(0);
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
