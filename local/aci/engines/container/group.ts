import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Probe } from "../../definition/definition.ts";
import type { EngineGroup, GroupSpec, MemberSpec, Report } from "../../engine.ts";
import type { KillReason } from "../../groups/life-types.ts";
import { httpProbe, timeoutOf } from "../../groups/probes.ts";
import { makeVolume } from "../process/volumes.ts";
import { RingLog } from "../ringlog.ts";
import { ended, messageOf, removeContainer } from "./api.ts";
import type { Api } from "./api.ts";
import type { ContainerEngineOptions } from "./engine.ts";
import type { Images } from "./images.ts";
import { makeNetwork } from "./network.ts";
import type { GroupNetwork } from "./network.ts";
import { follow } from "./output.ts";

export interface ContainerRunOptions extends ContainerEngineOptions {
  readonly api: Api;
  readonly images: Images;
  readonly owner: string;
  readonly report: (report: Report) => void;
  readonly sharesFolder: string;
  readonly disposed: () => void;
}

interface Running {
  readonly id: string;
  readonly ended: Promise<void>;
  /** Why it was ended from here. */
  reason: KillReason | "Stop" | undefined;
}

/** One deployment of a group on podman or docker: a container that holds the network, and those of the definition in it. */
export class ContainerRun implements EngineGroup {
  readonly #spec: GroupSpec;
  readonly #options: ContainerRunOptions;
  readonly #running = new Map<number, Running>();
  readonly #containers = new Map<number, string>();
  readonly #volumes = new Map<string, Promise<string>>();
  readonly #images = new Map<string, Promise<string>>();
  /** Starts under way: a kill waits for all of them. */
  readonly #starting = new Set<Promise<void>>();
  #network: Promise<GroupNetwork> | undefined;
  #ip: string | undefined;
  #killed = false;

  constructor(spec: GroupSpec, options: ContainerRunOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  pull(member: number): void {
    const { report, clock } = this.#options;
    this.#prepare(member).then(
      () => report({ type: "pulled", member, at: clock.now() }),
      (error: unknown) => {
        const message = `Failed to pull image "${this.#member(member).image}": ${messageOf(error)}`;
        report({ type: "pullFailed", member, at: clock.now(), message });
      },
    );
  }

  /** The image's name to run, the network, and the places of the volumes. */
  async #prepare(member: number): Promise<{ image: string; network: GroupNetwork; binds: string[] }> {
    const container = this.#member(member);
    const [image, network, binds] = await Promise.all([
      once(this.#images, container.image, () => this.#options.images.ensure(container.image, this.#spec.registries)),
      this.#makeNetwork(),
      Promise.all(
        container.mounts.map(async (mount) => {
          const volume = this.#spec.volumes.find(({ name }) => name === mount.volume);
          const readOnly =
            mount.readOnly || (volume?.type === "azureFile" && volume.readOnly) || volume?.type === "secret";
          return `${await this.#volume(mount.volume)}:${mount.path}${readOnly ? ":ro" : ""}`;
        }),
      ),
    ]);
    return { image, network, binds };
  }

  #volume(name: string): Promise<string> {
    const volume = this.#spec.volumes.find((one) => one.name === name) ?? { name, type: "emptyDir" as const };
    return once(this.#volumes, name, () => makeVolume(volume, this.#options.folder, this.#options.sharesFolder));
  }

  async #makeNetwork(): Promise<GroupNetwork> {
    const { api, owner } = this.#options;
    this.#network ??= makeNetwork(api, this.#spec, owner);
    const made = await this.#network;
    this.#ip = made.ip;
    return made;
  }

  start(member: number): void {
    const starting = this.#start(member).catch((error: unknown) => {
      const { report, clock } = this.#options;
      report({ type: "startFailed", member, at: clock.now(), message: messageOf(error) });
    });
    this.#starting.add(starting);
    void starting.then(() => this.#starting.delete(starting));
  }

  async #start(member: number): Promise<void> {
    const { api, report, clock, owner } = this.#options;
    const container = this.#member(member);
    const { image, network, binds } = await this.#prepare(member);
    const before = this.#containers.get(member);
    if (before !== undefined) await removeContainer(api, before);
    if (this.#killed) return;
    const [program, ...words] = container.command;
    const made = await api.docker.createContainer({
      Image: image,
      ...(program === undefined ? {} : { Entrypoint: [program], Cmd: words }),
      Env: container.env.map(([name, value]) => `${name}=${value}`),
      Labels: { "aci-local.owner": owner, "aci-local.group": this.#spec.name, "aci-local.container": container.name },
      HostConfig: {
        NetworkMode: `container:${network.id}`,
        Binds: binds,
        ...(container.memoryInGB > 0 ? { Memory: Math.round(container.memoryInGB * 1024 ** 3) } : {}),
        ...(container.cpu > 0 ? { NanoCpus: Math.round(container.cpu * 1e9) } : {}),
      },
    });
    this.#containers.set(member, made.id);
    mkdirSync(dirname(this.#log(member)), { recursive: true });
    const log = new RingLog(this.#log(member), () => clock.now());
    const output = await follow(api, made.id, log);
    try {
      await made.start();
    } catch (error) {
      output.stop();
      throw error;
    }
    const run: Running = { id: made.id, reason: undefined, ended: this.#watch(member, made.id, output.drained) };
    this.#running.set(member, run);
    report({ type: "started", member, at: clock.now() });
  }

  async #watch(member: number, id: string, drained: () => Promise<void>): Promise<void> {
    const { api, report, clock } = this.#options;
    try {
      await ended(api, id);
    } catch {
      // The engine lost it, or was itself ended: what is known of the container then says how it ended.
    }
    await drained();
    const state = await api.docker
      .getContainer(id)
      .inspect()
      .then(({ State }) => State)
      .catch(() => ({ ExitCode: KILLED, OOMKilled: false, FinishedAt: "" }));
    const at = Date.parse(state.FinishedAt) || clock.now();
    const reason = this.#running.get(member)?.reason;
    this.#running.delete(member);
    // Not every engine reports that the kernel ended a container for its memory: a kill that nobody here asked for is one.
    const unasked = state.ExitCode === KILLED && reason === undefined && this.#member(member).memoryInGB > 0;
    const why = state.OOMKilled || unasked ? "OOMKilled" : reason === "Stop" ? undefined : reason;
    report({ type: "exited", member, at, exitCode: state.ExitCode, ...(why ? { reason: why } : {}) });
  }

  async kill(): Promise<void> {
    this.#killed = true;
    await Promise.all(this.#starting);
    const running = [...this.#running.values()];
    if (running.length === 0) return;
    for (const run of running) run.reason ??= "Stop";
    await Promise.all(running.map(({ id }) => this.#signal(id, "SIGTERM")));
    const overdue = setTimeout(() => {
      for (const { id } of this.#running.values()) void this.#signal(id, "SIGKILL");
    }, this.#options.grace);
    await Promise.all(running.map((run) => run.ended));
    clearTimeout(overdue);
  }

  killMember(member: number, reason: KillReason): void {
    const run = this.#running.get(member);
    if (!run) return;
    run.reason = reason;
    void this.#signal(run.id, "SIGKILL");
  }

  /** A container that has ended meanwhile refuses, which is what was wanted. */
  async #signal(id: string, signal: string): Promise<void> {
    await this.#options.api.docker
      .getContainer(id)
      .kill({ signal })
      .catch(() => undefined);
  }

  readLog(member: number): Promise<string> {
    return RingLog.read(this.#log(member));
  }

  async probe(member: number, probe: Probe): Promise<string | undefined> {
    if (!probe.exec) return this.#ip === undefined ? "no address" : httpProbe(probe, this.#ip);
    const run = this.#running.get(member);
    if (!run) return "not running";
    const exec = await this.#options.api.docker
      .getContainer(run.id)
      .exec({ Cmd: [...(probe.exec.command ?? [])], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    stream.resume();
    const over = new Promise<boolean>((resolve) => stream.once("end", () => resolve(true)));
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, timeoutOf(probe), false).unref());
    if (!(await Promise.race([over, late]))) return "command timed out";
    const { ExitCode } = await exec.inspect();
    return ExitCode === 0 ? undefined : `command exited with ${ExitCode ?? -1}`;
  }

  ip(): string | undefined {
    return this.#ip;
  }

  /** Leaves logs and volumes. */
  async removeContainers(): Promise<void> {
    await this.kill();
    const { api } = this.#options;
    for (const id of this.#containers.values()) await removeContainer(api, id);
    this.#containers.clear();
    const network = await this.#network?.catch(() => undefined);
    this.#network = undefined;
    if (network) await removeContainer(api, network.id);
  }

  async dispose(): Promise<void> {
    await this.removeContainers();
    await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 3 });
    this.#options.disposed();
  }

  #member(member: number): MemberSpec {
    const found = this.#spec.members[member];
    if (!found) throw new RangeError(`No container ${member} in ${this.#spec.name}`);
    return found;
  }

  #log(member: number): string {
    return join(this.#options.folder, "containers", this.#member(member).name, "log");
  }
}

/** 128 + SIGKILL. */
const KILLED = 137;

/** Makes each thing once; what failed is tried again. */
function once<T>(made: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(name);
  if (known) return known;
  const making = make();
  made.set(name, making);
  making.catch(() => made.delete(name));
  return making;
}
