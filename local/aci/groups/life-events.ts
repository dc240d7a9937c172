import type { LifeEvent, MemberLife } from "./life-types.ts";

/** The list with one more event; the service counts equal events instead of repeating them. */
export function counted(
  events: readonly LifeEvent[],
  at: number,
  type: LifeEvent["type"],
  name: string,
  message: string,
): readonly LifeEvent[] {
  const known = events.find((event) => event.name === name && event.message === message);
  return known
    ? events.map((event) => (event === known ? { ...event, count: event.count + 1, lastTimestamp: at } : event))
    : [...events, { name, type, message, count: 1, firstTimestamp: at, lastTimestamp: at }];
}

export const withEvent = (
  member: MemberLife,
  at: number,
  type: LifeEvent["type"],
  name: string,
  message: string,
): MemberLife => ({ ...member, events: counted(member.events, at, type, name, message) });
