import type { Script } from "./script.ts";

/** How a deployment appears to callers, where that is not what its life says. Times are milliseconds since 1970. */
export interface Appearance {
  /** Until then it is not to be seen. */
  readonly hiddenUntil: number;
  /** Exit codes show only `delay` milliseconds after a container's end; the group says Running meanwhile, if asked to. */
  readonly codes: { readonly delay: number; readonly groupSaysRunning: boolean } | undefined;
  /** Shown as `provisioningState`. */
  readonly provisioning: { readonly word: string; readonly until: number } | undefined;
  readonly script: PlayedScript | undefined;
}

export interface PlayedScript {
  readonly views: Script;
  /** When the PUT was. */
  readonly since: number;
  /** A stop ends the script where it is. */
  readonly stoppedAt: number | undefined;
}

export const PLAIN: Appearance = {
  hiddenUntil: -Infinity,
  codes: undefined,
  provisioning: undefined,
  script: undefined,
};
