import { ownerOf } from "../shared/aci/arm-group.ts";
import { counted } from "../shared/base/text.ts";
import type { Deps } from "../shared/deps.ts";
import { InstallationTag } from "../shared/aci/installation-tag.ts";
import { nothingRuns } from "../shared/job/observation.ts";
import { handler, json, refuse } from "./lib/reply.ts";
import { notEverybodys, seesEverything } from "./lib/visible.ts";
import type { Reply } from "./openapi/replies.ts";

/**
 * `GET /api/adopt`: for the migration from the original, the groups that this service did not create and that a job of the same name
 * would meet. With `ADOPT_FINISHED_GROUPS` a job may replace a finished one; nothing is changed here.
 */
type AdoptDeps = Pick<Deps, "log" | "settings" | "control" | "aci">;

/** Each group costs a read, because a list carries no state. */
const maxGroups = 100;

export function adopt({ log, settings, control, aci: connect }: AdoptDeps) {
  return handler(log, async (_request, context) => {
    if (!seesEverything(context)) return refuse(notEverybodys, context);
    const { aci, installation } = await connect();
    const tag = new InstallationTag(installation);
    const groups: Reply<"Adoptable">["groups"] = [];
    let complete = true;
    for (const target of await control.targets(settings.targets)) {
      const list = await aci.list(target);
      if (list.kind !== "value") complete = false;
      for (const group of list.kind === "value" ? list.value : []) {
        if (typeof group.name !== "string") continue;
        if (ownerOf(group, { tag, place: { ...target, name: group.name } }).kind !== "untagged") continue;
        if (groups.length >= maxGroups) {
          complete = false;
          break;
        }
        const placed = { ...target, location: group.location ?? "" };
        const seen = await aci.observe(placed, group.name, true);
        const state = seen.group === "present" ? seen.state : "Unknown";
        const replaceable = seen.group === "present" && nothingRuns(seen);
        groups.push({
          name: group.name,
          resourceGroup: target.resourceGroup,
          ...(typeof group.location === "string" ? { location: group.location } : {}),
          state,
          replaceable,
        });
      }
    }
    const finished = groups.filter(({ replaceable }) => replaceable).length;
    const message = `${counted(groups.length, "group is", "groups are")} not ours, ${finished} of them finished.`;
    const reply: Reply<"Adoptable"> = { message, enabled: settings.adoptFinishedGroups, complete, groups };
    return json(200, reply);
  });
}
