import type { TimerHandler } from "@azure/functions";
import type { Deps } from "../shared/deps.ts";
import { runPass } from "./sweep/pass.ts";

/** The timer: begins a pass of the sweep. It is one of the triggers that do; `second-clock.ts` has the others. */
export function sweep(deps: Deps): TimerHandler {
  return () => runPass(deps, "timer");
}
