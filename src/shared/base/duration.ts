/** Durations, `Retry-After`, growing delays. All times are milliseconds; the wire's seconds are converted here. */

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

const iso =
  /^P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;

const number = "[0-9]+(?:\\.[0-9]+)?";
/** What {@link parseDuration} reads, as a pattern of JSON Schema, which knows upper case alone. */
export const durationPattern = `^(?:${number}|P(?=[0-9T])(?:${number}W)?(?:${number}D)?(?:T(?=[0-9])(?:${number}H)?(?:${number}M)?(?:${number}S)?)?)$`;

/**
 * An ISO 8601 duration of weeks, days, hours, minutes and seconds (years and months have no length of their own), or a plain
 * number of seconds.
 *
 * @returns milliseconds, or `undefined` when the text is neither
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * second);
  const match = iso.exec(trimmed);
  if (!match || /^PT?$/i.test(trimmed) || /T$/i.test(trimmed)) return undefined;
  const [, weeks, days, hours, minutes, seconds] = Array.from(match, (part: string | undefined) =>
    part === undefined ? 0 : Number(part),
  );
  return Math.round(
    (weeks ?? 0) * 7 * day +
      (days ?? 0) * day +
      (hours ?? 0) * hour +
      (minutes ?? 0) * minute +
      (seconds ?? 0) * second,
  );
}

/** `PT1H30M` for 5,400,000: how durations are shown. */
export function formatDuration(ms: number): string {
  const whole = Math.round(ms / second);
  if (whole === 0) return "PT0S";
  const [d, h, m, s] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const time = `${h ? `${h}H` : ""}${m ? `${m}M` : ""}${s ? `${s}S` : ""}`;
  return `P${d ? `${d}D` : ""}${time ? `T${time}` : ""}`;
}

/**
 * A time in ISO 8601; UTC where it names no zone, whatever zone the process runs in.
 *
 * @returns milliseconds since 1970; `NaN` for what is no time
 */
export function parseTime(text: string): number {
  return Date.parse(/T[\d:.]+$/i.test(text) ? `${text}Z` : text);
}

/**
 * `Retry-After` (RFC 9110 §10.2.3): seconds, which some write with a fraction, or an HTTP date.
 *
 * @returns milliseconds from `now`, never negative, at most an hour; `undefined` when absent or unreadable
 */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^-?\d+(?:\.\d+)?$/.test(header.trim())) return Math.min(Math.max(Number(header) * second, 0), hour);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), hour);
}

/**
 * A delay that doubles with each attempt, up to a ceiling, with a tenth of jitter so that many do not come back together.
 *
 * @param attempt 0 for the first
 * @param random between 0 and 1
 */
export function backOff(attempt: number, floor: number, ceiling: number, random: number): number {
  const plain = Math.min(floor * 2 ** Math.min(attempt, 30), ceiling);
  return Math.round(plain * (0.95 + random * 0.1));
}
