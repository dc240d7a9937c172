import { signal } from "@preact/signals";
import { skewOf } from "./logic/clock.ts";

const skew = signal(0);

/** The service's time, in milliseconds since 1970, also where this device's clock is wrong. */
export const clock = (deviceTime = Date.now()): number => deviceTime + skew.value;

export function setClock(response: Response, sent: number): void {
  const next = skewOf(response.headers.get("date"), sent, Date.now()) ?? skew.peek();
  // An answer comes a little sooner or later than the one before.
  if (Math.abs(next - skew.peek()) > 1000) skew.value = next;
}
