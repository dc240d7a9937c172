import type { Cursor } from "./cursor.ts";
import type { Findings } from "./places.ts";
import { judgeAccess } from "./rules/access.ts";
import { judgeContainers } from "./rules/containers.ts";
import { judgeGroup } from "./rules/group.ts";
import type { Judge } from "./rules/judge.ts";
import { judgeNetwork } from "./rules/network.ts";
import { judgeResources } from "./rules/resources.ts";
import { judgeVolumes } from "./rules/volumes.ts";

/**
 * Judges a typed definition as the service would: a fault where it surely refuses, a warning where it is likely to, or where what
 * is written has no effect. Messages name properties and how to mend them, and never quote a value: it may be a secret.
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
