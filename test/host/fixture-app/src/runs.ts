/** What the functions of this app note of their runs, for the tests to read: in their process, or by `GET /api/runs`. */
import type { InvocationContext, Timer } from "@azure/functions";

export interface Run {
  readonly name: string;
  readonly message?: unknown;
  readonly metadata?: InvocationContext["triggerMetadata"];
  readonly timer?: Timer;
  readonly event?: unknown;
  /** Milliseconds since 1970. */
  readonly at: number;
}

declare global {
  var fixtureRuns: Run[] | undefined;
  /** Ends the run of `gated` that got this message. */
  var fixtureGates: Map<string, () => void> | undefined;
}

export function note(name: string, what: Omit<Run, "name" | "at"> = {}): void {
  (globalThis.fixtureRuns ??= []).push({ name, ...what, at: Date.now() });
}
