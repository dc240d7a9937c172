import { z } from "zod";
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
const event = z.looseObject({
  count: number,
  firstTimestamp: text,
  lastTimestamp: text,
  name: text,
  message: text,
  type: text,
});
const events = z.array(event).nullish().catch(undefined);
const state = z
  .looseObject({ state: text, startTime: text, exitCode: number, finishTime: text, detailStatus: text })
  .nullish()
  .catch(undefined);
const view = z
  .looseObject({ restartCount: number, currentState: state, previousState: state, events })
  .nullish()
  .catch(undefined);
const container = z.looseObject({
  name: z.string(),
  properties: z.looseObject({ image: z.string().nullish(), instanceView: view }).nullish(),
});
const group = z.looseObject({
  id: z.string().nullish(),
  name: z.string().nullish(),
  location: z.string().nullish(),
  tags: z.record(z.string(), z.string().nullish()).nullish(),
  properties: z.looseObject({
    provisioningState: text,
    containers: z.array(container).nullish(),
    initContainers: z.array(container).nullish(),
    instanceView: z.looseObject({ state: text, events }).nullish().catch(undefined),
  }),
});
export type ArmGroup = z.infer<typeof group>;

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
  return {
    owner: ownerOf(json, check),
    provisioning: provisioningState(json.properties.provisioningState),
    state: groupState(instanceView?.state),
    containers: all.map(({ item, init }) => observedContainer(item, init)),
    events: [
      ...eventsOf(instanceView?.events ?? [], undefined),
      ...all.flatMap(({ item }) => eventsOf(item.properties?.instanceView?.events ?? [], item.name)),
    ].slice(-60),
  };
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
    exitCode: current?.exitCode ?? undefined,
    detailStatus: current?.detailStatus ?? undefined,
    restartCount: item.properties?.instanceView?.restartCount ?? 0,
    previous: previousOf(previous),
  };
}

function previousOf(previous: z.infer<typeof state>): ObservedContainer["previous"] {
  if (previous === undefined || previous === null || !hasRun(previous)) return undefined;
  return {
    exitCode: previous.exitCode ?? undefined,
    startTime: timeOf(previous.startTime),
    finishTime: timeOf(previous.finishTime),
  };
}

/** ACI may show a previous state in which nothing ran (`Waiting`). */
function hasRun({ exitCode, startTime, finishTime, state: word }: NonNullable<z.infer<typeof state>>): boolean {
  return (
    (exitCode !== undefined && exitCode !== null) ||
    timeOf(startTime) !== undefined ||
    timeOf(finishTime) !== undefined ||
    containerState(word) === "Terminated"
  );
}

function eventsOf(events: readonly z.infer<typeof event>[], name: string | undefined): GroupEvent[] {
  return events.map((item) => {
    const at = timeOf(item.lastTimestamp) ?? timeOf(item.firstTimestamp);
    return {
      ...(at === undefined ? {} : { at }),
      ...(name === undefined ? {} : { container: name }),
      name: item.name ?? "",
      type: item.type ?? "",
      count: item.count ?? 1,
      message: (item.message ?? "").slice(0, 300),
    };
  });
}

/** ACI's times; the year 1 means that there is no time. */
function timeOf(text: string | null | undefined): number | undefined {
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
