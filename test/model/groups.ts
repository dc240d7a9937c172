import { ownerOf, tagNames, type TagCheck } from "../../src/shared/aci/arm-group.ts";
import { second } from "../../src/shared/base/duration.ts";
import type { ContainerSeen, GroupSeen } from "../../src/shared/job/observation.ts";
import type { JsonObject, JsonValue } from "../../src/shared/base/json.ts";

/** Container groups whose containers do what the definition's own tags say. */
export interface Group {
  readonly name: string;
  readonly place: string;
  tags: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
  readonly startsAt: number;
  /** Reads give 404 until then. */
  readonly visibleAt: number;
  stoppedAt?: number;
  goneAt?: number;
}

interface Container {
  readonly name: string;
  /** What it ends with, if nobody stops it. */
  readonly exitCode: number;
  readonly endsAt: number;
}

/** Of a container that was stopped. */
const killed = 137;

export function groupOf(place: string, name: string, body: JsonObject, now: number, lag: number): Group {
  const tags = tagsOf(body);
  const startsAt = now + Number(tags["start"] ?? 0) * second;
  const attempt = Number(tags[tagNames.attempt]);
  const containers = containerNames(body).map((container) => {
    const [seconds, code, fails] = (tags[container] ?? "0 0 always").split(" ");
    const succeeds = fails !== "always" && attempt > Number(fails);
    return { name: container, exitCode: succeeds ? 0 : Number(code), endsAt: startsAt + Number(seconds) * second };
  });
  return { name, place, tags, containers, startsAt, visibleAt: now + lag };
}

export function runs({ containers, stoppedAt }: Group, now: number): boolean {
  return now < Math.min(stoppedAt ?? Infinity, Math.max(...containers.map(({ endsAt }) => endsAt)));
}

export function seen(group: Group, check: TagCheck, now: number): GroupSeen {
  return {
    owner: ownerOf(group, check),
    provisioning: group.goneAt === undefined ? "Succeeded" : "Deleting",
    state: stateOf(group, now),
    containers: group.containers.map((container) => containerSeen(group, container, now)),
    events: [],
  };
}

/** In words never seen before. */
export function seenStrangely(group: Group, check: TagCheck, now: number): GroupSeen {
  const plain = seen(group, check, now);
  const containers = plain.containers.map((container) => ({
    ...container,
    state: "Unknown" as const,
    finishTime: undefined,
    exitCode: undefined,
  }));
  return { ...plain, provisioning: "Other", state: "Unknown", containers };
}

function stateOf(group: Group, now: number): GroupSeen["state"] {
  if (group.stoppedAt !== undefined) return "Stopped";
  if (now < group.startsAt) return "Pending";
  if (runs(group, now)) return "Running";
  return group.containers.every(({ exitCode }) => exitCode === 0) ? "Succeeded" : "Failed";
}

function containerSeen({ startsAt, stoppedAt }: Group, { name, exitCode, endsAt }: Container, now: number) {
  const stopped = stoppedAt ?? Infinity;
  const end = Math.min(endsAt, stopped);
  const state: ContainerSeen["state"] = now >= end ? "Terminated" : now >= startsAt ? "Running" : "Waiting";
  const over = state === "Terminated";
  return {
    name,
    init: false,
    image: "example/job:1",
    hasView: true,
    state,
    startTime: now >= startsAt ? startsAt : undefined,
    finishTime: over ? end : undefined,
    exitCode: over ? (endsAt <= stopped ? exitCode : killed) : undefined,
    detailStatus: undefined,
    restartCount: 0,
    previous: undefined,
  };
}

function tagsOf({ tags }: JsonObject): Record<string, string> {
  const pairs = isObject(tags) ? Object.entries(tags) : [];
  return Object.fromEntries(pairs.map(([name, value]) => [name, typeof value === "string" ? value : ""]));
}

function containerNames({ properties }: JsonObject): readonly string[] {
  const list = isObject(properties) ? properties["containers"] : undefined;
  const names = Array.isArray(list) ? list.map((each) => (isObject(each) ? each["name"] : undefined)) : [];
  return names.filter((name) => typeof name === "string");
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
