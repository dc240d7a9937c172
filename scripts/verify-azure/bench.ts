import { randomBytes } from "node:crypto";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { Aci } from "../../src/shared/aci/client.ts";
import type { CreateAnswer } from "../../src/shared/job/arm-answers.ts";
import type { JobTarget } from "../../src/shared/job/job.ts";
import type { ObservedGroup, Observation } from "../../src/shared/job/observation.ts";

/** What one region's quota says: `used` of `limit`. */
export interface Usage {
  readonly used: number;
  readonly limit: number;
}

/** Azure, time, and the person at the terminal. */
export interface World {
  readonly aci: Aci;
  readonly target: JobTarget;
  readonly location: string;
  /** Image with a shell. */
  readonly image: string;
  readonly usage: (name: "ContainerGroups" | "StandardCores") => Promise<Usage | undefined>;
  readonly now: () => number;
  /** Ends early, without a fault, when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Aborted when the person wants to stop. */
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
}

/** A group that a question makes. */
export interface Plan {
  readonly cpu: number;
  /** What its container's shell runs. */
  readonly script: string;
}

/** Every group has 1 GB, the least that Container Instances takes. */
export const memoryGB = 1;
/** The most that is spent on removing a question's groups. */
export const removalTime = 5 * minute;
const maxLeftoverAge = 60 * minute;
const tagName = "aciproxy-verify";
const prefix = "aciproxy-verify-";

/** A question took longer than its price was computed for. */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

/** The person pressed Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

interface Made {
  readonly name: string;
  isSeen: boolean;
}

/** Makes the groups of one run, and removes them. Nothing that it did not make is ever touched. */
export class Bench {
  readonly world: World;
  readonly #run: string;
  readonly #tag: string;
  #made: readonly Made[] = [];
  #names = 0;
  #deadline = Infinity;

  constructor(world: World) {
    this.world = world;
    this.#run = randomBytes(4).toString("hex");
    this.#tag = `${new Date(world.now()).toISOString()}/${this.#run}`;
  }

  /** From here on a question may take this long, in milliseconds. */
  allow(time: number): void {
    this.#deadline = this.world.now() + time;
  }

  newName(): string {
    return `${prefix}${this.#run}-${this.#names++}`;
  }

  /** Sends the create. Its name is noted first, so that it is removed unless the answer proves that there is nothing. */
  async create(name: string, { cpu, script }: Plan): Promise<CreateAnswer> {
    const { aci, target, location, image } = this.world;
    this.#made = [...this.#made.filter((each) => each.name !== name), { name, isSeen: false }];
    const resources = { requests: { cpu, memoryInGB: memoryGB } };
    const container = { name: "main", properties: { image, command: ["sh", "-c", script], resources } };
    const properties = { osType: "Linux", restartPolicy: "Never", containers: [container] };
    const body = { location, tags: { [tagName]: this.#tag }, properties };
    const answer = await aci.create(target, name, "2023-05-01", body, (text) => text);
    if (answer.kind === "refused") this.#made = this.#made.filter((each) => each.name !== name);
    return answer;
  }

  async observe(name: string): Promise<Observation> {
    const observation = await this.world.aci.observe(this.world.target, name);
    const made = this.#made.find((each) => each.name === name);
    if (made && observation.group === "present") made.isSeen = true;
    return observation;
  }

  /** Observes every five seconds until the group shows what is wanted. @throws OutOfTime, Interrupted */
  async waitFor(name: string, wanted: (group: ObservedGroup) => boolean): Promise<ObservedGroup> {
    for (;;) {
      const observation = await this.observe(name);
      if (observation.group === "present" && wanted(observation)) return observation;
      await this.pause(5 * second);
    }
  }

  /** @throws OutOfTime, Interrupted */
  async pause(ms: number): Promise<void> {
    const { interrupted, now, sleep } = this.world;
    if (now() + ms > this.#deadline) throw new OutOfTime();
    await sleep(ms, interrupted);
    if (interrupted.aborted) throw new Interrupted();
  }

  /**
   * Removes what was made so far. A group is gone when it was there, and then missing twice, ten seconds apart: one that never was may
   * still appear.
   *
   * @returns names of groups that may still be there
   */
  async removeAll(): Promise<readonly string[]> {
    const { aci, target, now, sleep } = this.world;
    const until = now() + removalTime;
    let left = this.#made.map((made) => ({ made, absences: 0 }));
    while (left.length > 0 && now() < until) {
      const still: typeof left = [];
      for (const { made, absences } of left) {
        if ((await aci.remove(target, made.name)).kind === "accepted") made.isSeen = true;
        const isAbsent = (await this.observe(made.name)).group === "absent" && made.isSeen;
        const next = isAbsent ? absences + 1 : 0;
        if (next < 2) still.push({ made, absences: next });
      }
      left = still;
      if (left.length > 0) await sleep(10 * second);
    }
    this.#made = [];
    return left.map(({ made }) => made.name);
  }
}

/**
 * Removes groups that earlier runs left behind: those with this script's name and tag, and no others.
 *
 * @param everything also those of the last hour, which may belong to a run that goes on somewhere else
 * @returns their names; `undefined` when the list could not be read, and nothing was removed
 */
export async function removeLeftovers(world: World, everything: boolean): Promise<readonly string[] | undefined> {
  const { aci, target, now } = world;
  const list = await aci.list(target);
  if (list.kind !== "value") return undefined;
  const removed: string[] = [];
  for (const { name, tags } of list.value) {
    const value = Object.entries(tags ?? {}).find(([key]) => key.toLowerCase() === tagName)?.[1];
    const [time = ""] = (value ?? "").split("/");
    const startedAt = Date.parse(time);
    if (!name?.startsWith(prefix) || Number.isNaN(startedAt)) continue;
    if (!everything && now() - startedAt < maxLeftoverAge) continue;
    const { kind } = await aci.remove(target, name);
    if (kind === "accepted" || kind === "absent") removed.push(name);
  }
  return removed;
}
