import type { Clock } from "../clock.ts";
import type { Probe } from "../definition/definition.ts";

/** "Configure liveness probes" names the settings; what is left out is as in Kubernetes, whose probes these are. */
const DEFAULTS = { initialDelaySeconds: 0, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 1 };

export interface Watch {
  readonly clock: Clock;
  readonly probe: Probe;
  /** Why a look failed; `undefined` where it did not. */
  readonly look: () => Promise<string | undefined>;
  readonly failed: (message: string) => void;
  /** Enough checks in a row failed for it to count. */
  readonly lost: () => void;
}

/** Looks again and again until the function returned is called. */
export function watch({ clock, probe, look, failed, lost }: Watch): () => void {
  const settings = { ...DEFAULTS, ...probe };
  let failures = 0;
  let cancelled = false;
  const schedule = (seconds: number): (() => void) => clock.at(clock.now() + seconds * 1000, () => void turn());
  let cancel = schedule(settings.initialDelaySeconds);
  const turn = async (): Promise<void> => {
    const fault = await look().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (cancelled) return;
    failures = fault === undefined ? 0 : failures + 1;
    if (fault !== undefined) failed(fault);
    if (failures >= settings.failureThreshold) {
      failures = 0;
      lost();
    }
    cancel = schedule(settings.periodSeconds);
  };
  return () => {
    cancelled = true;
    cancel();
  };
}

export const timeoutOf = (probe: Probe): number => (probe.timeoutSeconds ?? DEFAULTS.timeoutSeconds) * 1000;

/** A status from 200 to 399 is healthy. */
export async function httpProbe(probe: Probe, host: string): Promise<string | undefined> {
  const { path = "/", port = 80, scheme = "http", httpHeaders = [] } = probe.httpGet ?? {};
  const url = `${scheme}://${host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
  const headers = httpHeaders.map(({ name = "", value = "" }): [string, string] => [name, value]);
  try {
    const reply = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(timeoutOf(probe)) });
    await reply.arrayBuffer();
    return reply.status >= 200 && reply.status < 400 ? undefined : `HTTP probe failed with statuscode: ${reply.status}`;
  } catch (error) {
    return `Get "${url}": ${error instanceof Error ? error.message : String(error)}`;
  }
}
