import type { Aci, Read } from "../../src/shared/aci.ts";
import type { CreateAnswer, DeleteAnswer } from "../../src/shared/answers.ts";
import { ownerOf, tagNames, type ArmGroup } from "../../src/shared/arm-group.ts";
import { second } from "../../src/shared/backoff.ts";
import type { Reason } from "../../src/shared/catalogue.ts";
import type { AzureError, ContainerSeen, GroupSeen, Observation, Placed } from "../../src/shared/job.ts";
import type { JsonObject, JsonValue } from "../../src/shared/json.ts";
import type { Call } from "./scheduler.ts";

/**
 * Container Instances in memory, with what makes it hard: a create is seen only some seconds after it took effect, its answer may get
 * lost and its effect come late, a deletion takes its time, groups vanish and are stopped by others.
 */
export interface Group {
  readonly name: string;
  readonly place: string;
  tags: Readonly<Record<string, string>>;
  /** What its one container will do. */
  readonly exitCode: number;
  readonly startsAt: number;
  endsAt: number;
  /** Reads give 404 until then. */
  readonly visibleAt: number;
  stoppedAt?: number;
  goneAt?: number;
}

/** How long a create that took effect is not seen: less than two looks are apart. */
const mostLag = 4 * second;

/** Told of what is about to happen, to judge it. */
export interface Watcher {
  /** A write is sent. */
  sent(what: "create" | "delete" | "stop" | "tag", name: string): void;
  /** A create takes effect where `existing` is there. */
  created(group: Group, existing: Group | undefined): void;
  deleted(group: Group): void;
}

export class ContainerInstances {
  readonly #now: () => number;
  readonly #watcher: Watcher;
  readonly #random: () => number;
  readonly #groups = new Map<string, Group>();
  /** The next creates are refused so. */
  readonly refusals: Reason[] = [];
  /** The next look says words never seen before. */
  strange = 0;

  constructor(now: () => number, watcher: Watcher, random: () => number) {
    this.#now = now;
    this.#watcher = watcher;
    this.#random = random;
  }

  /** All that is there, whether reads see it or not. */
  get all(): readonly Group[] {
    const now = this.#now();
    for (const [key, { goneAt }] of this.#groups) if (goneAt !== undefined && goneAt <= now) this.#groups.delete(key);
    return [...this.#groups.values()];
  }

  at(place: string, name: string): Group | undefined {
    return this.all.find((group) => group.place === place && group.name.toLowerCase() === name.toLowerCase());
  }

  runs({ endsAt, stoppedAt }: Group): boolean {
    return this.#now() < Math.min(endsAt, stoppedAt ?? Infinity);
  }

  put(placed: Placed, name: string, body: JsonObject): CreateAnswer {
    const refused = this.refusals.shift();
    if (refused) return { kind: "refused", reason: refused, azure: undefined, retryAfter: undefined };
    const now = this.#now();
    const plan = planOf(body);
    const startsAt = now + plan.startSeconds * second;
    const group: Group = {
      name,
      place: placed.resourceGroup,
      tags: tagsOf(body),
      exitCode: plan.exitCode,
      startsAt,
      endsAt: startsAt + plan.runSeconds * second,
      visibleAt: now + Math.floor(this.#random() * mostLag),
    };
    this.#watcher.created(group, this.at(placed.resourceGroup, name));
    this.#groups.set(`${group.place}/${name.toLowerCase()}`, group);
    return { kind: "accepted" };
  }

  /** By somebody else. */
  add(group: Group): void {
    this.#groups.set(`${group.place}/${group.name.toLowerCase()}`, group);
  }

  delete(placed: Placed, name: string): DeleteAnswer {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined) return { kind: "absent" };
    this.#watcher.deleted(group);
    group.goneAt ??= this.#now() + (this.runs(group) ? Math.floor(this.#random() * 20 * second) : 0);
    return { kind: "accepted" };
  }

  stop(placed: Placed, name: string): DeleteAnswer {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined) return { kind: "absent" };
    if (this.runs(group)) group.stoppedAt ??= this.#now();
    return { kind: "accepted" };
  }

  tag(placed: Placed, name: string, tags: Readonly<Record<string, string>>): DeleteAnswer {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined) return { kind: "absent" };
    group.tags = { ...group.tags, ...tags };
    return { kind: "accepted" };
  }

  vanish({ place, name }: Group): void {
    this.#groups.delete(`${place}/${name.toLowerCase()}`);
  }

  look(placed: Placed, name: string, installation: string): Observation {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined || this.#now() < group.visibleAt) return { group: "absent" };
    return { group: "present", ...this.#seen(group, installation) };
  }

  #seen(group: Group, installation: string): GroupSeen {
    const now = this.#now();
    const owner = ownerOf(group, installation);
    const provisioning = group.goneAt === undefined ? "Succeeded" : "Deleting";
    const container = (state: ContainerSeen["state"]): ContainerSeen => ({
      name: "app",
      init: false,
      state,
      startTime: now >= group.startsAt ? group.startsAt : undefined,
      finishTime: state === "Terminated" ? Math.min(group.endsAt, group.stoppedAt ?? Infinity) : undefined,
      exitCode: state === "Terminated" ? (group.stoppedAt === undefined ? group.exitCode : 137) : undefined,
      detailStatus: undefined,
      restartCount: 0,
      previous: undefined,
    });
    const seen = (state: GroupSeen["state"], inner: ContainerSeen["state"]): GroupSeen => ({
      owner,
      provisioning,
      state,
      containers: [container(inner)],
      events: [],
    });
    if (this.strange > 0) {
      this.strange--;
      return { owner, provisioning: "Other", state: "Unknown", containers: [container("Unknown")], events: [] };
    }
    if (group.stoppedAt !== undefined) return seen("Stopped", "Terminated");
    if (now < group.startsAt) return seen("Pending", "Waiting");
    if (now < group.endsAt) return seen("Running", "Running");
    return seen(group.exitCode === 0 ? "Succeeded" : "Failed", "Terminated");
  }

  list(place: string): readonly ArmGroup[] {
    const now = this.#now();
    return this.all
      .filter((group) => group.place === place && now >= group.visibleAt)
      .map(({ name, tags }) => ({ name, tags: { ...tags }, location: "westeurope", properties: {} }));
  }
}

const silence: AzureError = { code: "ECONNRESET", message: "no answer", httpStatus: 0 };
const unknown = { group: "unknown", reason: "ArmUnavailable", retryAfter: undefined, azure: undefined } as const;
const unread = (): Read<never> => ({ kind: "unknown", ...unknown });

/** The client of one host: what the real one has, over the simulated service. */
export function aciClient(service: ContainerInstances, call: Call, installation: string, watcher: Watcher): Aci {
  const unclear = (): { kind: "unclear"; azure: AzureError } => ({ kind: "unclear", azure: silence });
  const client: Pick<Aci, keyof Aci> = {
    observe: (placed, name) =>
      call(
        "arm look",
        "arm read",
        () => service.look(placed, name, installation),
        () => unknown,
      ),
    create: (placed, name, _version, body) => {
      watcher.sent("create", name);
      return call<CreateAnswer>("arm create", "arm write", () => service.put(placed, name, body), unclear);
    },
    remove: (placed, name) => {
      watcher.sent("delete", name);
      return call<DeleteAnswer>("arm delete", "arm write", () => service.delete(placed, name), unclear);
    },
    stop: (placed, name) => {
      watcher.sent("stop", name);
      return call<DeleteAnswer>("arm stop", "arm write", () => service.stop(placed, name), unclear);
    },
    tag: (placed, name, tags) => {
      watcher.sent("tag", name);
      return call<DeleteAnswer>("arm tag", "arm write", () => service.tag(placed, name, tags), unclear);
    },
    logs: (placed, name) =>
      call<Read<string>>(
        "arm logs",
        "arm read",
        () =>
          service.at(placed.resourceGroup, name) === undefined
            ? { kind: "absent" as const }
            : { kind: "value" as const, value: "2026-11-24T08:00:00.000000000Z Hello World!\n" },
        unread,
      ),
    list: (target) =>
      call<Read<readonly ArmGroup[]>>(
        "arm list",
        "arm read",
        () => ({ kind: "value" as const, value: service.list(target.resourceGroup) }),
        unread,
      ),
    locationOf: (target) => Promise.resolve({ kind: "value", value: target.location ?? "westeurope" }),
    ping: () =>
      call(
        "arm ping",
        "arm read",
        () => "ok" as const,
        () => "unknown" as const,
      ),
  };
  return client as Aci; // it has every member that `Aci` has in public
}

export function ownTags(job: string, attempt: number, installation: string): Record<string, string> {
  return { [tagNames.job]: job, [tagNames.attempt]: String(attempt), [tagNames.installation]: installation };
}

function tagsOf(body: JsonObject): Record<string, string> {
  const { tags } = body;
  const pairs = isObject(tags) ? Object.entries(tags) : [];
  return Object.fromEntries(pairs.map(([name, value]) => [name, typeof value === "string" ? value : ""]));
}

/** The definition's own tags say what its container will do. */
function planOf(body: JsonObject): { exitCode: number; startSeconds: number; runSeconds: number } {
  const tags = tagsOf(body);
  const number = (name: string): number => Number(tags[name] ?? 0);
  return {
    exitCode: Number(tagsOf(body)[tagNames.attempt]) > number("fails") ? 0 : number("code"),
    startSeconds: number("start"),
    runSeconds: number("run"),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
