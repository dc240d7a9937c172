import { clip } from "../base/errors.ts";
import type { GroupEvent } from "./job.ts";
import type { Reason } from "./reasons.ts";

/**
 * What ACI's events say. An event has a name that few pages list and a sentence for people, so both are read: the name first, the
 * sentence without the names that it quotes (an image may be called `quota-service`).
 *
 * Sources: "Troubleshoot common issues in Azure Container Instances"; MicrosoftDocs/azure-docs#70920 (FailedMountAzureFileVolume).
 */
export type StartTrouble = "quota" | "capacity" | "image" | "mount" | "start" | "network";

/** By precedence, for when several are in one view. */
const troubles: readonly { readonly trouble: StartTrouble; readonly name: RegExp; readonly text: RegExp }[] = [
  { trouble: "quota", name: /quota/i, text: /\bquota\b/i },
  {
    trouble: "capacity",
    name: /capacity/i,
    text: /\bcapacity\b|requested resource is not available in the location|\binsufficient (?:cpu|memory|gpu)\b/i,
  },
  { trouble: "image", name: /image(?!fs)|\bpull/i, text: /\bpull(?:ing|ed)?\b|\bimage\b/i },
  { trouble: "mount", name: /mount|volume/i, text: /\bmount(?:ing|ed)?\b|\bvolume\b|\bfile share\b/i },
  {
    trouble: "start",
    name: /start|create(?:container)?$|oom/i,
    text: /\b(?:start|create|run)(?:ing)? (?:the )?container\b|executable file not found|no such file or directory|permission denied|\bOCI\b|\brunc\b/i,
  },
  { trouble: "network", name: /network|subnet|\bip\b|dns/i, text: /\bnetwork\b|\bsubnet\b|\bIP address|\bDNS\b/i },
];

/** What a cause of a failed start is called where a job fails or waits because of it. */
export const reasonOfTrouble = {
  quota: "QuotaReached",
  capacity: "NoCapacity",
  image: "ImagePullFailed",
  mount: "MountFailed",
  start: "StartFailed",
  network: "NetworkFailed",
} as const satisfies Record<StartTrouble, Reason>;

/** Names of events that say that something went well, or that say nothing. */
const harmless = /^(?:pulling|pulled|created|started|scheduled|successful\w*|killing|killed|unhealthy)$/i;

function troubleOfEvent({ name, message, type }: GroupEvent): StartTrouble | undefined {
  if (harmless.test(name) || /^normal$/i.test(type)) return undefined;
  const words = plainWords(message);
  const isGeneral = /^(?:failed|error|warning|backoff|)$/i.test(name.replaceAll(/\W/g, ""));
  const byName = isGeneral ? undefined : troubles.find((each) => each.name.test(name));
  return (byName ?? troubles.find((each) => each.text.test(words)))?.trouble;
}

/** A sentence without what it quotes, addresses and names of images (`quota-service:1`): the words that are the writer's own. */
export function plainWords(text: string): string {
  return text.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`|\S*[/@]\S*|\S+:\w\S*|\w+-\S+/g, " ");
}

export interface Trouble {
  readonly trouble: StartTrouble;
  readonly event: GroupEvent;
  /** How often it happened, over all events of the kind. */
  readonly count: number;
}

/** The first kind of trouble, in the order of their precedence, that the events speak of. */
export function firstTrouble(events: readonly GroupEvent[]): Trouble | undefined {
  const told = events.flatMap((event) => {
    const trouble = troubleOfEvent(event);
    return trouble === undefined ? [] : [{ trouble, event }];
  });
  for (const { trouble } of troubles) {
    const same = told.filter((each) => each.trouble === trouble);
    const last = same.at(-1);
    if (last !== undefined) return { trouble, event: last.event, count: sum(same.map(({ event }) => event.count)) };
  }
  return undefined;
}

/** Whether Azure's own want of quota or capacity is what they say first. */
export function speakOfCapacity(events: readonly GroupEvent[]): boolean {
  const trouble = firstTrouble(events)?.trouble;
  return trouble === "quota" || trouble === "capacity";
}

/** Why the group has not started yet, by its events. */
export function startReason(events: readonly GroupEvent[]): { readonly reason: Reason; readonly detail?: string } {
  const trouble = firstTrouble(events);
  const count = (name: string): number => events.filter((event) => event.name === name).length;
  const isPulling = count("Pulling") > count("Pulled");
  if (trouble === undefined) return { reason: isPulling ? "ImagePull" : "Starting" };
  const detail = clip(trouble.event.message, 160);
  switch (trouble.trouble) {
    case "image":
      return { reason: "ImagePull", detail };
    case "mount":
      return { reason: "VolumeMount", detail };
    case "start":
      return { reason: "ContainerStart", detail };
    default:
      return { reason: "Starting", detail };
  }
}

/** True when the events say that Azure took a Spot group's capacity back. */
export function isEviction({ name, message }: GroupEvent): boolean {
  return /evict|preempt/i.test(name) || /\b(?:evicted|eviction|preempted)\b/i.test(plainWords(message));
}

/** A probe failed and the container was killed for it: then 137 is not the memory's fault. */
export function killedByProbe(events: readonly GroupEvent[], container: string): boolean {
  const own = events.filter((event) => event.container === undefined || event.container === container);
  const failedProbe = own.some(({ name, message }) => /^unhealthy$/i.test(name) || /\bprobe failed\b/i.test(message));
  return (
    failedProbe && own.some(({ name, message }) => /^killing$/i.test(name) || /\bkilling container\b/i.test(message))
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
