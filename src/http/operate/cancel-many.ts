import { defined } from "../../shared/base/defined.ts";
import { errorFields } from "../../shared/base/log.ts";
import { z } from "zod";
import { Unavailable } from "../../shared/base/errors.ts";
import { cancelSelected } from "../../shared/intake/cancel-selected.ts";
import type { Deps } from "../../shared/deps.ts";
import { counted } from "../../shared/base/text.ts";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { mustBeStates, readStates } from "../jobs/filter.ts";
import { flag, readJson, text } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { maxCall } from "./max-call.ts";

export const selection = z.object({
  name: text(63).optional(),
  tag: text(400).optional(),
  pipeline: text(512).optional(),
  group: text(128).toLowerCase().optional(),
  team: text(64).toLowerCase().optional(),
  state: text(200)
    .transform((words, context) => {
      const states = readStates(words);
      if (states === undefined) context.addIssue(mustBeStates);
      return states;
    })
    .optional(),
  dryRun: flag,
});

type CancelManyDeps = Pick<Deps, "log" | "jobs" | "queues" | "now" | "bulk" | "control" | "randomBytes">;

/** `POST /api/jobs/cancel`: all active jobs that match and are not canceled yet; the number of them. What takes longer the sweep goes on with. */
export function cancelMany(deps: CancelManyDeps) {
  return handler(deps.log, async (request, context) => {
    const body = await readJson(request, selection);
    if (!body.ok) return refuse(body.error, context);
    const { name, tag, pipeline, group, team, state, dryRun } = body.value;
    if ([name, tag, pipeline, group, team, state].every((each) => each === undefined)) {
      const message = "Select jobs by name, tag, pipeline, group, team or state; use state=active to select all.";
      return refuse({ code: "InvalidRequest", message }, context);
    }
    const began = deps.now();
    const by = callerOf(context);
    const states = state === undefined || state === "active" ? {} : { states: [...state] };
    const meant = { ...defined({ name, tag, pipeline, group, team }), ...states, until: began + 1 };
    const until = began + maxCall;
    const key = `${began}-${Buffer.from(deps.randomBytes(8)).toString("hex")}`;
    // Recorded before the first cancel, so that the sweep finishes the work if this host dies.
    if (!dryRun) await deps.control.installation();
    if (!dryRun) await deps.bulk.add({ key, selection: meant, by, callUntil: until });
    const { ids, unreadable, finished } = await cancelSelected(deps, meant, { by, until, dryRun });
    const goesOn = !finished && !dryRun;
    if (finished && !dryRun) await dropWork(deps, key);
    if (!dryRun)
      audit(deps.log, context, "cancel many", {
        canceled: ids.length,
        finished,
        names: name,
        tag,
        pipelines: pipeline,
        groups: group,
        teams: team,
      });
    const message = dryRun
      ? `${counted(ids.length, "job", "jobs")} would be canceled`
      : `${counted(ids.length, "job is", "jobs are")} being canceled${goesOn ? " so far; the others follow" : ""}`;
    const reply: Reply<"Canceled"> = {
      message,
      canceled: dryRun ? 0 : ids.length,
      matched: ids.length,
      dryRun,
      ids: ids.slice(0, 1000),
      ...(unreadable > 0 ? { unreadable } : {}),
      ...(finished ? {} : { more: true }),
    };
    return json(goesOn ? 202 : 200, reply);
  });
}

/** All jobs are canceled. If the record can't be removed now, the sweep finds nothing left to do and removes it. */
async function dropWork({ bulk, log }: CancelManyDeps, key: string): Promise<void> {
  try {
    await bulk.drop(key);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    log("warn", "unavailable", { service: error.service, ...errorFields(error) });
  }
}
