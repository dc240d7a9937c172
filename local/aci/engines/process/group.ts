import { mkdirSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Probe } from "../../definition/definition.ts";
import type { EngineGroup, GroupSpec, MemberSpec, Report } from "../../engine.ts";
import type { KillReason } from "../../groups/life-types.ts";
import { httpProbe, timeoutOf } from "../../groups/probes.ts";
import { RingLog } from "../ringlog.ts";
import { cannotStart, localCommand, searchPath } from "./command.ts";
import type { ImagePlan } from "./dockerfile.ts";
import type { ProcessEngineOptions } from "./engine.ts";
import { findImage, materialize } from "./image.ts";
import { killGroup } from "./pids.ts";
import type { ProcessRecords } from "./pids.ts";
import { runToEnd, spawnContained } from "./spawn.ts";
import { makeVolume } from "./volumes.ts";

export interface ProcessGroupOptions extends ProcessEngineOptions {
  readonly records: ProcessRecords;
  readonly report: (report: Report) => void;
  readonly sharesFolder: string;
}

const LOOPBACK = "127.0.0.1";

/** What a pulled container needs to start. */
interface Ready {
  readonly plan: ImagePlan;
  readonly paths: readonly string[];
}

interface Running {
  readonly pid: number;
  readonly ended: Promise<void>;
  reason: KillReason | undefined;
}

/** One deployment of a group on the process engine. */
export class ProcessGroup implements EngineGroup {
  readonly #spec: GroupSpec;
  readonly #options: ProcessGroupOptions;
  readonly #ready = new Map<number, Ready>();
  readonly #running = new Map<number, Running>();
  readonly #volumes = new Map<string, Promise<string>>();
  #disposed: (() => void) | undefined;
  /** From here on nothing starts any more. */
  #killed = false;

  constructor(spec: GroupSpec, options: ProcessGroupOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  whenDisposed(call: () => void): void {
    this.#disposed = call;
  }

  pull(member: number): void {
    const { report, clock } = this.#options;
    this.#makeReady(member).then(
      () => {
        report({ type: "pulled", member, at: clock.now() });
      },
      (error: unknown) => {
        report({ type: "pullFailed", member, at: clock.now(), message: reasonOf(error) });
      },
    );
  }

  async #prepare(member: number): Promise<Ready> {
    const container = this.#member(member);
    const image = await findImage(this.#options.containersFolder, container.image);
    if (!image) throw new Error(`Failed to pull image "${container.image}": not found`);
    const root = this.#root(member);
    const paths = await materialize(image, root);
    for (const mount of container.mounts) {
      const place = join(root, mount.path);
      await mkdir(dirname(place), { recursive: true });
      await rm(place, { recursive: true, force: true });
      await symlink(await this.#volume(mount.volume), place);
      paths.push(mount.path);
    }
    return { plan: image.plan, paths };
  }

  #volume(name: string): Promise<string> {
    const known = this.#volumes.get(name);
    if (known) return known;
    const volume = this.#spec.volumes.find((one) => one.name === name) ?? { name, type: "emptyDir" as const };
    const made = makeVolume(volume, this.#options.folder, this.#options.sharesFolder);
    this.#volumes.set(name, made);
    // A volume that could not be made is tried again with the next pull.
    made.catch(() => this.#volumes.delete(name));
    return made;
  }

  start(member: number): void {
    this.#makeReady(member)
      .then((ready) => {
        if (!this.#killed) this.#start(member, ready);
      })
      .catch((error: unknown) => {
        const { report, clock } = this.#options;
        report({ type: "startFailed", member, at: clock.now(), message: reasonOf(error) });
      });
  }

  /** What was pulled; read again where an earlier life of this service pulled it. */
  async #makeReady(member: number): Promise<Ready> {
    const ready = this.#ready.get(member) ?? (await this.#prepare(member));
    this.#ready.set(member, ready);
    return ready;
  }

  #start(member: number, { plan, paths }: Ready): void {
    const { report, clock, records } = this.#options;
    const container = this.#member(member);
    const root = this.#root(member);
    const cwd = join(root, plan.workdir);
    const env = this.#environment(container, plan, root);
    const argv = localCommand(
      container.command.length > 0 ? container.command : [...plan.entrypoint, ...plan.cmd],
      root,
      paths,
    );
    const [program] = argv;
    const fault = program === undefined ? "no command specified" : cannotStart(program, cwd, env["PATH"] ?? "");
    if (fault !== undefined) {
      report({ type: "startFailed", member, at: clock.now(), message: fault });
      return;
    }
    mkdirSync(join(root, "tmp"), { recursive: true });
    const log = new RingLog(this.#log(member), () => clock.now());
    const { child, stdout, stderr, go, release } = spawnContained(argv, cwd, env);
    const pid = child.pid;
    if (pid === undefined) {
      child.once("error", (error) => {
        report({ type: "startFailed", member, at: clock.now(), message: error.message });
      });
      return;
    }
    records.add(pid);
    stdout.on("data", (chunk: Buffer) => {
      log.append("stdout", chunk);
    });
    stderr.on("data", (chunk: Buffer) => {
      log.append("stderr", chunk);
    });
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        // Like a container, the rest ends with its first process; only then do its pipes close.
        killGroup(pid, "SIGKILL");
        release();
        const at = clock.now();
        drained(stdout, stderr, () => {
          log.end();
          records.remove(pid);
          const reason = this.#running.get(member)?.reason;
          this.#running.delete(member);
          report({ type: "exited", member, at, exitCode: exitCode(code, signal), ...(reason ? { reason } : {}) });
          resolve();
        });
      });
    });
    this.#running.set(member, { pid, ended, reason: undefined });
    report({ type: "started", member, at: clock.now() });
    go();
  }

  #environment(container: MemberSpec, plan: ImagePlan, root: string): Record<string, string> {
    const own = { ...plan.env, ...Object.fromEntries(container.env) };
    return {
      HOME: root,
      TMPDIR: join(root, "tmp"),
      HOSTNAME: this.#spec.name,
      ...(process.env["LANG"] === undefined ? {} : { LANG: process.env["LANG"] }),
      ...own,
      PATH: searchPath(root, own["PATH"]),
      ACI_LOCAL_ROOT: root,
      ACI_LOCAL_MOUNTS: container.mounts.map(({ path }) => `${path}=${join(root, path)}`).join(":"),
    };
  }

  async kill(): Promise<void> {
    this.#killed = true;
    const running = [...this.#running.values()];
    if (running.length === 0) return;
    for (const { pid } of running) killGroup(pid, "SIGTERM");
    const overdue = setTimeout(() => {
      for (const { pid } of this.#running.values()) killGroup(pid, "SIGKILL");
    }, this.#options.grace);
    await Promise.all(running.map(({ ended }) => ended));
    clearTimeout(overdue);
  }

  killMember(member: number, reason: KillReason): void {
    const running = this.#running.get(member);
    if (!running) return;
    running.reason = reason;
    killGroup(running.pid, "SIGKILL");
  }

  readLog(member: number): Promise<string> {
    return RingLog.read(this.#log(member));
  }

  async probe(member: number, probe: Probe): Promise<string | undefined> {
    const ready = this.#ready.get(member);
    const command = probe.exec?.command ?? [];
    if (!probe.exec) return httpProbe(probe, LOOPBACK);
    if (!ready || command.length === 0) return "no command";
    const root = this.#root(member);
    const argv = localCommand(command, root, ready.paths);
    const env = this.#environment(this.#member(member), ready.plan, root);
    const exitCode = await runToEnd(argv, join(root, ready.plan.workdir), env, timeoutOf(probe), this.#options.records);
    if (exitCode === undefined) return "command timed out";
    return exitCode === 0 ? undefined : `command exited with ${exitCode}`;
  }

  ip(): string {
    return LOOPBACK;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 3 });
    this.#disposed?.();
  }

  #member(member: number): MemberSpec {
    const found = this.#spec.members[member];
    if (!found) throw new RangeError(`No container ${member} in ${this.#spec.name}`);
    return found;
  }

  #root(member: number): string {
    return join(this.#options.folder, "containers", this.#member(member).name, "root");
  }

  #log(member: number): string {
    return join(this.#options.folder, "containers", this.#member(member).name, "log");
  }
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? (signal ? 128 + constants.signals[signal] : 255);
}

/** Something that left the process group may hold a pipe open: a second after the end it is not waited for any more. */
function drained(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream, done: () => void): void {
  let open = 2;
  const finish = (): void => {
    clearTimeout(timeout);
    open = -1;
    done();
  };
  const timeout = setTimeout(finish, 1000);
  for (const stream of [stdout, stderr]) {
    stream.once("close", () => {
      open -= 1;
      if (open === 0) finish();
    });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
