import { ownerOf, tagNames, type TagCheck } from "../../src/shared/aci/arm-group.ts";
import { second } from "../../src/shared/base/duration.ts";
import type { GroupEvent } from "../../src/shared/job/job.ts";
import type { ObservedContainer, ObservedGroup } from "../../src/shared/job/observation.ts";
import type { JsonObject, JsonValue } from "../../src/shared/base/json.ts";
import { readScript, type Script } from "./scripts.ts";

/** Container groups whose containers, and whose platform, do what the definition's own tags say. */
export interface Group {
  readonly name: string;
  readonly place: string;
  tags: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
  readonly script?: Script;
  readonly startsAt: number;
  /** Reads give 404 until then. */
  readonly visibleAt: number;
  /** Until then some reads give 404 again. */
  flapsUntil?: number;
  /** A resource lock refuses its deletion until then, and `lockedWhole` its stop too. */
  lockedUntil?: number;
  /** When a delete or stop of it was last refused. */
  refusedAt?: number;
  lockedWhole?: boolean;
  stoppedAt?: number;
  goneAt?: number;
}

interface Container {
  readonly name: string;
  /** One after another: the platform starts a container again. */
  readonly runs: readonly Run[];
}

/** What a run ends with, if nobody stops it. */
interface Run {
  readonly startsAt: number;
  readonly endsAt: number;
  /** Absent where ACI does not say it. */
  readonly exitCode: number | undefined;
}

/** Of a container that was stopped. */
const killed = 137;
/** Between two runs of a container. */
const restartTime = 4 * second;

export function groupOf(place: string, name: string, body: JsonObject, now: number, lag: number): Group {
  const tags = tagsOf(body);
  const startsAt = now + Number(tags["start"] ?? 0) * second;
  const attempt = Number(tags[tagNames.attempt]);
  const script = readScript(tags["platform"], attempt);
  const containers = containerNames(body).map((container) => {
    const [program = "", index] = container.split("-");
    const [seconds, said, fails] = (tags[program] ?? "0 0 always").split(" ");
    const code = Number(said === "index" ? index : said);
    const succeeds = fails !== "always" && attempt > Number(fails);
    const run = { startsAt, endsAt: startsAt + Number(seconds) * second, exitCode: succeeds ? 0 : code };
    return { name: container, runs: program === "app" ? withScript(run, script) : [run] };
  });
  return { name, place, tags, containers, ...(script ? { script } : {}), startsAt, visibleAt: now + lag };
}

/** What becomes of the run of the container `app`. */
function withScript(run: Run, script: Script | undefined): Run[] {
  const { startsAt, endsAt, exitCode } = run;
  switch (script?.does) {
    case undefined:
      return [run];
    case "fail":
      return [];
    case "silence":
      return [{ ...run, exitCode: undefined }];
    case "restart": {
      const again = endsAt + restartTime;
      return exitCode === 0 ? [run] : [run, { startsAt: again, endsAt: again + 60 * second, exitCode: 0 }];
    }
    case "evict": {
      const middle = Math.floor((startsAt + endsAt) / 2);
      const first = { startsAt, endsAt: middle, exitCode: script.code };
      const again = middle + restartTime;
      return script.restarts ? [first, { startsAt: again, endsAt: again + endsAt - startsAt, exitCode }] : [first];
    }
  }
}

/** When the last run of a container ends, if nobody stops it; nothing ever started in a group whose provisioning failed. */
export function lastEnd({ containers, script, startsAt }: Group): number {
  if (script?.does === "fail") return startsAt;
  return Math.max(...containers.map(({ runs: list }) => list.at(-1)?.endsAt ?? startsAt));
}

export function runs(group: Group, now: number): boolean {
  return now < Math.min(group.stoppedAt ?? Infinity, lastEnd(group)) && group.script?.does !== "fail";
}

/** A group that has ended can't be stopped; one that says so of itself has. */
export function isStoppable(group: Group, now: number): boolean {
  return runs(group, now) || group.script?.does === "fail" || stateOf(group, now) === "Running";
}

export function observed(group: Group, check: TagCheck, now: number): ObservedGroup {
  return {
    owner: ownerOf(group, check),
    provisioning: group.goneAt !== undefined ? "Deleting" : hasFailed(group, now) ? "Failed" : "Succeeded",
    state: stateOf(group, now),
    hasNewWord: false,
    containers: group.containers.map((container) => containerSeen(group, container, now)),
    events: hasFailed(group, now) && group.script?.does === "fail" ? eventsOf[group.script.why] : [],
  };
}

/** In words never seen before. */
export function observedStrangely(group: Group, check: TagCheck, now: number): ObservedGroup {
  const plain = observed(group, check, now);
  const containers = plain.containers.map((container) => ({
    ...container,
    state: "Unknown" as const,
    finishTime: undefined,
    exitCode: undefined,
  }));
  return { ...plain, provisioning: "Other", state: "Unknown", hasNewWord: true, containers };
}

function hasFailed({ script, startsAt }: Group, now: number): boolean {
  return script?.does === "fail" && now >= startsAt;
}

const event = (name: string, message: string): GroupEvent[] => [{ name, message, type: "Warning", count: 1 }];

/** ACI's own words for why it could not start a group. */
const eventsOf = {
  quota: event("Failed", "Container group quota 'StandardCores' exceeded in region 'westeurope'."),
  capacity: event("Failed", "The requested resource is not available in the location 'westeurope' at this moment."),
  image: event("Failed", "Failed to pull image 'example/app:1': manifest unknown."),
  mount: event("FailedMountAzureFileVolume", "Failed to mount Azure File Volume."),
  start: event("Failed", "Failed to start container app: executable file not found."),
  unknown: [],
} satisfies Record<Extract<Script, { does: "fail" }>["why"], GroupEvent[]>;

function stateOf(group: Group, now: number): ObservedGroup["state"] {
  const { script, containers, startsAt, stoppedAt } = group;
  if (stoppedAt !== undefined) return "Stopped";
  if (now < startsAt || script?.does === "fail") return "Pending";
  if (runs(group, now)) return "Running";
  if (script?.does === "silence") return script.says;
  return containers.every(({ runs: list }) => list.at(-1)?.exitCode === 0) ? "Succeeded" : "Failed";
}

function containerSeen({ stoppedAt, script }: Group, { name, runs: all }: Container, now: number): ObservedContainer {
  const stopped = stoppedAt ?? Infinity;
  const begun = all.filter(({ startsAt }) => startsAt <= Math.min(now, stopped));
  const current = begun.at(-1);
  const before = begun.at(-2);
  const end = Math.min(current?.endsAt ?? Infinity, stopped);
  const isOver = current !== undefined && now >= end;
  const told = stoppedAt !== undefined && script?.does === "silence" && name === "app" ? script.stopTells : undefined;
  return {
    name,
    init: false,
    image: "example/job:1",
    hasView: true,
    state: isOver ? "Terminated" : current !== undefined ? "Running" : "Waiting",
    startTime: current?.startsAt,
    finishTime: isOver ? end : undefined,
    exitCode: !isOver ? undefined : current.endsAt <= stopped ? (current.exitCode ?? told) : killed,
    detailStatus: undefined,
    restartCount: Math.max(0, begun.length - 1),
    previous: before && { exitCode: before.exitCode, startTime: before.startsAt, finishTime: before.endsAt },
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
