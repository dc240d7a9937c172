/** Timer schedules and their memory. Pure: the time is always passed in. */
import { Cron } from "croner";
import { FunctionFault } from "./settings.ts";

export interface Schedule {
  /** The first occurrence after the given time. */
  next(after: Date): Date;
}

/** What the monitor remembers of a timer between runs and hosts; `last` is undefined before the first run. */
export interface ScheduleStatus {
  readonly last: Date | undefined;
  readonly next: Date;
  readonly lastUpdated: Date | undefined;
}

/** NCRONTAB knows numbers, names, lists, ranges and steps, but not cron's later letters. */
const NCRONTAB = /^(?:[\d*/,\-\s]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+$/i;

/**
 * @param expression NCRONTAB with six fields, seconds first (five are read with second zero, as the real host does).
 * @param timeZone an IANA name; Azure runs in UTC.
 * @throws {FunctionFault} when it is not one.
 */
export function parseSchedule(expression: string, timeZone: string): Schedule {
  try {
    if (!NCRONTAB.test(expression)) throw new Error("unknown sign");
    // NCRONTAB wants day of month AND day of week to match, where cron takes either.
    const cron = new Cron(expression, { paused: true, mode: "5-or-6-parts", domAndDow: true, timezone: timeZone });
    if (cron.nextRun() === null) throw new Error("never occurs");
    return {
      next: (after) => cron.nextRun(after) ?? new Date(8.64e15), // never again: the end of time
    };
  } catch (error) {
    throw new FunctionFault(`The schedule expression '${expression}' was not recognized as a valid cron expression.`, {
      cause: error,
    });
  }
}

/** Whether it occurs more than once in the next minute: such timers are not monitored and get no `scheduleStatus`. */
export function isFrequent(schedule: Schedule, now: Date): boolean {
  return schedule.next(schedule.next(now)).getTime() < now.getTime() + 60_000;
}

export interface Resumed {
  readonly status: ScheduleStatus;
  /** An occurrence was missed while no host ran. */
  readonly pastDue: boolean;
  /** The status differs from what was stored and is to be stored. */
  readonly changed: boolean;
}

/**
 * What a host finds when it takes over a monitored timer (webjobs-sdk-extensions, ScheduleMonitor.CheckPastDueAsync): a first
 * start and a changed schedule begin afresh, otherwise an occurrence in the past is due now.
 */
export function resume(schedule: Schedule, stored: ScheduleStatus | undefined, now: Date): Resumed {
  if (stored === undefined)
    return { status: { last: undefined, next: schedule.next(now), lastUpdated: now }, pastDue: false, changed: true };
  const from = stored.last ?? stored.lastUpdated ?? now;
  let expected = schedule.next(from);
  if (stored.next.getTime() === expected.getTime())
    return { status: stored, pastDue: now > stored.next, changed: false };
  let lastUpdated = from;
  if (now > expected) {
    expected = schedule.next(now);
    lastUpdated = now;
  }
  return { status: { last: undefined, next: expected, lastUpdated }, pastDue: false, changed: true };
}

/** The status after a run that began at the given time. */
export function afterRun(schedule: Schedule, startedAt: Date): ScheduleStatus {
  return { last: startedAt, next: schedule.next(startedAt), lastUpdated: startedAt };
}

/** .NET's default of a time, which the stored form and the handler see for "never". */
const NEVER = "0001-01-01T00:00:00+00:00";

/** The form that is stored and given to the handler (camel-cased by the library). */
export function statusJson(status: ScheduleStatus): { Last: string; Next: string; LastUpdated: string } {
  return { Last: isoText(status.last), Next: isoText(status.next), LastUpdated: isoText(status.lastUpdated) };
}

function isoText(at: Date | undefined): string {
  return at === undefined ? NEVER : at.toISOString().replace("Z", "+00:00");
}

/** Reads the stored form; undefined for anything else, which is then written anew. */
export function parseStatus(text: string): ScheduleStatus | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined; // not ours, or half written: begun afresh
  }
  if (typeof json !== "object" || json === null || !("Last" in json) || !("Next" in json) || !("LastUpdated" in json))
    return undefined;
  const next = readTime(json.Next);
  return next === undefined ? undefined : { last: readTime(json.Last), next, lastUpdated: readTime(json.LastUpdated) };
}

function readTime(value: unknown): Date | undefined {
  if (typeof value !== "string" || value.startsWith("0001-")) return undefined;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
