import type { Cursor } from "../cursor.ts";
import type { Findings } from "../text/positions.ts";
import { judgeAccess } from "./access.ts";
import { judgeContainers } from "./containers.ts";
import { judgeGroup } from "./group.ts";
import type { Judge } from "./judge.ts";
import { judgeNetwork } from "./network.ts";
import { judgeResources } from "./resources.ts";
import { judgeVolumes } from "./volumes.ts";

/**
 * Judges a typed definition as the service would: a fault where it surely refuses, a warning where it is likely to, or where what
 * is written has no effect. Messages name properties and how to fix them, and never quote a value: it may be a secret.
 */
export function judge(root: Cursor, findings: Findings): void {
  const group = root.get("properties");
  const given: Judge = {
    findings,
    root,
    group,
    containers: group.get("containers").records.slice(0, 61),
    initContainers: group.get("initContainers").records.slice(0, 61),
    fromProfile: group.get("containerGroupProfile").present || group.get("standbyPoolProfile").present,
  };
  judgeGroup(given);
  judgeContainers(given);
  judgeResources(given);
  judgeNetwork(given);
  judgeVolumes(given);
  judgeAccess(given);
}
