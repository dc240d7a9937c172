import { z } from "zod";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { flag, readJson, text } from "../lib/json-body.ts";
import { readTime } from "../lib/query.ts";
import { handler, json, refuse, retryAfterHeader } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { defined } from "../../shared/base/defined.ts";
import { second } from "../../shared/base/duration.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import { counted } from "../../shared/base/text.ts";
import type { Deps } from "../../shared/deps.ts";
import { rerunSelected } from "../../shared/intake/rerun-selected.ts";
import { terminalStates } from "../../shared/job/job.ts";
import { reasonNamed } from "../../shared/job/reasons.ts";
import { noProgress, type RerunProgress } from "../../shared/store/bulk-reruns.ts";
import { mustBeId, readStates } from "../jobs/filter.ts";
import { invalidSettings } from "../trigger.ts";
import { maxCall } from "./max-call.ts";

const rerunnable = terminalStates.filter((state) => state !== "Succeeded");

/** As in queries: what it means at a moment, milliseconds since 1970. */
const time = text(64).transform((word, context) => {
  const checked = readTime(word, 0);
  if (!checked.ok) context.addIssue(checked.error);
  return (now: number): number | undefined => {
    const read = readTime(word, now);
    return read.ok ? read.value : undefined;
  };
});

export const rerunSelection = z.object({
  state: text(200)
    .transform((words, context) => {
      const states = readStates(words);
      const known =
        states === "active" ? undefined : states?.filter((state) => rerunnable.some((each) => each === state));
      if (known === undefined || known.length !== states?.length)
        context.addIssue(`must be some of ${rerunnable.join(", ")}`);
      return known ?? [];
    })
    .optional(),
  reason: text(64)
    .transform((word, context) => {
      const reason = reasonNamed(word);
      if (reason === undefined) context.addIssue("must be a reason (docs/faults.md)");
      return reason ?? word;
    })
    .optional(),
  name: text(63).optional(),
  tag: text(400).optional(),
  pipeline: text(512).optional(),
  group: text(128).toLowerCase().optional(),
  team: text(64).toLowerCase().optional(),
  array: text(36)
    .refine((word) => parseJobId(word) !== undefined, mustBeId)
    .optional(),
  since: time.optional(),
  until: time.optional(),
  dryRun: flag,
});

type RerunManyDeps = Pick<
  Deps,
  | "settings"
  | "log"
  | "now"
  | "jobs"
  | "queues"
  | "blobs"
  | "sealer"
  | "ceilings"
  | "groups"
  | "sleep"
  | "random"
  | "randomBytes"
  | "control"
  | "reruns"
>;

/**
 * `POST /api/jobs/rerun`: all jobs that match and ended without success run again, each once. What takes longer than a call the sweep goes
 * on with; `Location` says how far it is.
 */
export function rerunMany(deps: RerunManyDeps) {
  return handler(deps.log, async (request, context) => {
    const { settings } = deps;
    if (settings.faults.length > 0) return refuse(invalidSettings(settings.faults), context);
    const { refusal } = await deps.control.installation();
    if (refusal !== undefined) return refuse(invalidSettings([refusal]), context);
    const body = await readJson(request, rerunSelection);
    if (!body.ok) return refuse(body.error, context);
    const { state, reason, name, tag, pipeline, group, team, array, since, until: before, dryRun } = body.value;
    const given = [state, reason, name, tag, pipeline, group, team, array, since];
    if (given.every((each) => each === undefined)) {
      const message = "Select jobs by state, reason, name, tag, pipeline, group, team, array or since.";
      return refuse({ code: "InvalidRequest", message }, context);
    }
    const began = deps.now();
    const selection = {
      ...defined({ name, tag, array, since: since?.(began) }),
      // An array that succeeded, as enough of it did, may have indexes that did not.
      states: [...(state ?? (array === undefined ? rerunnable : terminalStates))],
      columns: defined({ reason, pipeline, group, team }) as Record<string, string>, // without those that are undefined
      until: Math.min(before?.(began) ?? Infinity, began),
    };
    const by = callerOf(context);
    const until = began + maxCall;
    const key = `${began}-${Buffer.from(deps.randomBytes(8)).toString("hex")}`;
    const work = { key, selection, by, callUntil: until, progress: noProgress, finishedAt: undefined };
    // Recorded before the first rerun, so that the sweep finishes the work if this host dies.
    if (!dryRun) await deps.reruns.save(work);
    const keep = (progress: RerunProgress): Promise<void> => deps.reruns.save({ ...work, progress });
    const { progress, ids, finished } = await rerunSelected(deps, selection, {
      by,
      until,
      dryRun,
      ...(dryRun ? {} : { keep }),
    });
    if (!dryRun) {
      // From now on the sweep may go on.
      await deps.reruns.save({
        ...work,
        callUntil: deps.now(),
        progress,
        finishedAt: finished ? deps.now() : undefined,
      });
      audit(deps.log, context, "rerun many", {
        rerun: progress.rerun,
        finished,
        names: name,
        tag,
        pipelines: pipeline,
        groups: group,
        teams: team,
      });
    }
    const reply = { ...replyOf(progress, finished, dryRun), ids: ids.slice(0, 1000) };
    if (finished || dryRun) return json(200, reply);
    const location = `${settings.publicUrl}/api/reruns/${key}`;
    return json(202, reply, { location, ...retryAfterHeader(10 * second) });
  });
}

/** `GET /api/reruns/{key}`: how far a rerun of many is. */
export function rerunProgress({ log, reruns }: Pick<Deps, "log" | "reruns">) {
  return handler(log, async (request, context) => {
    const key = request.params["key"] ?? "";
    const work = /^\d{13}-[0-9a-f]{16}$/.test(key) ? await reruns.find(key) : undefined;
    if (work === undefined)
      return refuse(
        { code: "JobNotFound", message: "No rerun of many of that key is known; it is kept for a day." },
        context,
      );
    const isOver = work.finishedAt !== undefined;
    const reply = replyOf(work.progress, isOver, false);
    return json(isOver ? 200 : 202, reply, isOver ? {} : retryAfterHeader(10 * second));
  });
}

function replyOf(
  { matched, rerun, known, refused }: RerunProgress,
  finished: boolean,
  dryRun: boolean,
): Reply<"Rerun"> {
  const message = dryRun
    ? `${counted(matched - known, "job", "jobs")} would be rerun${finished ? "" : " at least"}.`
    : `${counted(rerun, "job is", "jobs are")} run again${finished ? "" : " so far; the others follow"}.`;
  return { message, rerun, matched, known, refused, dryRun, ...(finished ? {} : { more: true }) };
}
