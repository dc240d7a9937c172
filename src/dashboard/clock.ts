import { skewOf } from "./logic/clock.ts";

let skew = 0;

/** The service's time, in milliseconds since 1970, also where this device's clock is wrong. */
export const clock = (): number => Date.now() + skew;

export function setClock(response: Response, sent: number): void {
  skew = skewOf(response.headers.get("date"), sent, Date.now()) ?? skew;
}
