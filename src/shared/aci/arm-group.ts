import { z } from "zod";
import { parseTime } from "../base/duration.ts";
import { tagNames } from "../job/group-tags.ts";
import type { GroupEvent } from "../job/job.ts";
import type { ObservedContainer, ObservedGroup, Owner } from "../job/observation.ts";
import type { InstallationTag, GroupAddress } from "./installation-tag.ts";

export { tagNames } from "../job/group-tags.ts";

/**
 * ACI's JSON of a container group, turned into our words. ARM omits what is empty and adds what is new, so every field may be missing,
 * what is of another kind in a view counts as missing, and words never seen before become `Unknown` or `Other`: "keep watching", never a
 * verdict.
 */
const text = z.string().nullish().catch(undefined);
/** A list without what is of another kind in it. */
function listOf<T extends z.ZodType>(item: T) {
  const each = z.union([item.transform((value) => [value]), z.unknown().transform((): z.output<T>[] => [])]);
  return z.array(each).transform((items) => items.flat());
}
const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,10}$/)
      .transform(Number),
  ])
  .nullish()
  .catch(undefined);
/** A 32-bit integer, as a column holds it; Windows' codes also without their sign. Anything else is no known code. */
const code = number.transform((value) =>
  Number.isInteger(value) && Number(value) >= -(2 ** 31) && Number(value) < 2 ** 32 ? Number(value) | 0 : undefined,
);
const event = z.looseObject({
  count: number,
  firstTimestamp: text,
  lastTimestamp: text,
  name: text,
  message: text,
  type: text,
});
const events = listOf(event).nullish().catch(undefined);
const state = z
  .looseObject({ state: text, startTime: text, exitCode: code, finishTime: text, detailStatus: text })
  .nullish()
  .catch(undefined);
const view = z
  .looseObject({ restartCount: number, currentState: state, previousState: state, events })
  .nullish()
  .catch(undefined);
const container = z.looseObject({
  name: z.string(),
  properties: z.looseObject({ image: text, instanceView: view }).nullish().catch(undefined),
});
const tags = z.record(z.string(), text).nullish();
const group = z.looseObject({
  tags,
  properties: z.looseObject({
    provisioningState: text,
    containers: listOf(container).nullish(),
    initContainers: listOf(container).nullish(),
    instanceView: z.looseObject({ state: text, events }).nullish().catch(undefined),
  }),
});
type ArmGroup = z.infer<typeof group>;

/** A list has groups of others too, whatever they look like: only what says whose each is. */
const listedGroup = z.looseObject({ name: text, location: text, tags: tags.catch(undefined) });
export type ListedGroup = z.infer<typeof listedGroup>;

export function parseListedGroup(json: unknown): ListedGroup | undefined {
  return listedGroup.safeParse(json).data;
}

/** `undefined` when the JSON is no container group. */
export function parseArmGroup(json: unknown): ArmGroup | undefined {
  const parsed = group.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

const oneOf =
  <const W extends string, const O extends string>(words: readonly W[], other: O) =>
  (text: string | null | undefined): W | O =>
    words.find((word) => word.toLowerCase() === text?.toLowerCase()) ?? other;

const groupState = oneOf(["Pending", "Running", "Succeeded", "Failed", "Stopped"], "Unknown");
const provisioningState = oneOf(["Succeeded", "Failed", "Canceled", "Deleting"], "Other");
const containerState = oneOf(["Waiting", "Running", "Terminated"], "Unknown");

/** A word that stands there and that nobody here knows, unlike one that is missing. */
function isNew(read: (text: string | null | undefined) => string, word: string | null | undefined): boolean {
  return Boolean(word) && read(word) === "Unknown";
}

/** What proves whose a group is: our tag, and where the group is. */
export interface TagCheck {
  readonly tag: InstallationTag;
  readonly place: GroupAddress;
}

export function observedGroup(json: ArmGroup, check: TagCheck): ObservedGroup {
  const { containers, initContainers, instanceView } = json.properties;
  const all = [
    ...(initContainers ?? []).map((item) => ({ item, init: true })),
    ...(containers ?? []).map((item) => ({ item, init: false })),
  ];
  const states = all.map(({ item }) => item.properties?.instanceView?.currentState?.state);
  return {
    owner: ownerOf(json, check),
    provisioning: provisioningState(json.properties.provisioningState),
    state: groupState(instanceView?.state),
    hasNewWord: isNew(groupState, instanceView?.state) || states.some((word) => isNew(containerState, word)),
    containers: all.map(({ item, init }) => observedContainer(item, init)),
    events: mostTelling([
      ...eventsOf(instanceView?.events ?? [], undefined),
      ...all.flatMap(({ item }) => eventsOf(item.properties?.instanceView?.events ?? [], item.name)),
    ]),
  };
}

const maxEvents = 60;
/** What every container goes through: of many containers these alone would fill the list. */
const routine = /^(?:pulling|pulled|created|started)$/i;

/** The last of them, and the routine ones only as far as the others leave place. */
function mostTelling(events: readonly GroupEvent[]): readonly GroupEvent[] {
  if (events.length <= maxEvents) return events;
  const telling = events.filter(({ name }) => !routine.test(name)).slice(-maxEvents);
  const others = events.filter(({ name }) => routine.test(name)).slice(telling.length - maxEvents);
  const kept = new Set(telling.length < maxEvents ? [...telling, ...others] : telling);
  return events.filter((event) => kept.has(event));
}

export function ownerOf(json: Pick<ArmGroup, "tags">, { tag, place }: TagCheck): Owner {
  // Tag names are compared without case by ARM, which may hand them back in another.
  const tags = new Map(Object.entries(json.tags ?? {}).map(([name, value]) => [name.toLowerCase(), value ?? ""]));
  const value = tags.get(tagNames.installation);
  if (value === undefined) return { kind: "untagged" };
  const jobId = tags.get(tagNames.job);
  const form = tag.check(value, place);
  if (form === "foreign" || jobId === undefined) return { kind: "foreign" };
  return { kind: "ours", jobId, attempt: Number(tags.get(tagNames.attempt) ?? "1"), isBound: form === "bound" };
}

function observedContainer(item: z.infer<typeof container>, init: boolean): ObservedContainer {
  const current = item.properties?.instanceView?.currentState;
  const previous = item.properties?.instanceView?.previousState;
  return {
    name: item.name,
    init,
    image: item.properties?.image ?? undefined,
    hasView: current !== undefined && current !== null,
    state: containerState(current?.state),
    startTime: timeOf(current?.startTime),
    finishTime: timeOf(current?.finishTime),
    exitCode: current?.exitCode,
    detailStatus: current?.detailStatus?.slice(0, maxText),
    restartCount: item.properties?.instanceView?.restartCount ?? 0,
    previous: previousOf(previous),
  };
}

function previousOf(previous: z.infer<typeof state>): ObservedContainer["previous"] {
  if (previous === undefined || previous === null || !hasRun(previous)) return undefined;
  return {
    exitCode: previous.exitCode,
    startTime: timeOf(previous.startTime),
    finishTime: timeOf(previous.finishTime),
  };
}

/** ACI may show a previous state in which nothing ran (`Waiting`). */
function hasRun({ exitCode, startTime, finishTime, state: word }: NonNullable<z.infer<typeof state>>): boolean {
  return (
    exitCode !== undefined ||
    timeOf(startTime) !== undefined ||
    timeOf(finishTime) !== undefined ||
    containerState(word) === "Terminated"
  );
}

/** What is longer is cut: a row keeps the words of up to 60 events and 60 containers. */
const [maxWord, maxText] = [100, 300];

function eventsOf(events: readonly z.infer<typeof event>[], name: string | undefined): GroupEvent[] {
  return events.map((item) => {
    const at = timeOf(item.lastTimestamp) ?? timeOf(item.firstTimestamp);
    return {
      ...(at === undefined ? {} : { at }),
      ...(name === undefined ? {} : { container: name }),
      name: (item.name ?? "").slice(0, maxWord),
      type: (item.type ?? "").slice(0, maxWord),
      count: item.count ?? 1,
      message: (item.message ?? "").slice(0, maxText),
    };
  });
}

/** ACI's times; the year 1 means that there is no time. */
function timeOf(text: string | null | undefined): number | undefined {
  const at = parseTime(text ?? "");
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
