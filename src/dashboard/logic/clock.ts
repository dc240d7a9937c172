/** How far this device's clock is from the service's. Pure. */

/** A difference that people don't see, and that an answer's way may make. */
const least = 5000;

/**
 * @param date what the answer's header `Date` says: whole seconds
 * @param sent when it was asked for, by this device's clock, and `received` when it came; in milliseconds since 1970
 * @returns milliseconds to add to this device's clock; `undefined` where the answer does not say
 */
export function skewOf(date: string | null, sent: number, received: number): number | undefined {
  const at = date === null ? NaN : Date.parse(date) + 500;
  if (Number.isNaN(at)) return undefined;
  const skew = at < sent ? at - sent : at > received ? at - received : 0;
  return Math.abs(skew) < least ? 0 : Math.round(skew);
}

/** Milliseconds that an answer asks to wait for. */
export function waitOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 600) * 1000 : 0;
}
