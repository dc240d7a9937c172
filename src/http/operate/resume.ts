import { z } from "zod";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import { counted } from "../../shared/base/text.ts";
import type { JobId } from "../../shared/base/ids.ts";
import { audit } from "../lib/audit.ts";
import { readJson, text } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { maxCall } from "./max-call.ts";

export const resumeBody = z.object({ reason: text(300).optional() });

/** How many jobs are requeued at once. */
const width = 8;

/** `POST /api/resume`: jobs that wait because of the pause go on. */
export function resume({ log, control, jobs, queues, now }: Pick<Deps, "log" | "control" | "jobs" | "queues" | "now">) {
  return handler(log, async (request, context) => {
    const body = await readJson(request, resumeBody);
    if (!body.ok) return refuse(body.error, context);
    const until = now() + maxCall;
    await control.resume();
    let woken = 0;
    const requeue = async ({ id, reason }: { readonly id: JobId; readonly reason: string }): Promise<void> => {
      if (reason !== "Paused") return;
      await queues.requeue(id, undefined, 0);
      woken++;
    };
    const failed = (_job: unknown, error: unknown): void => log("warn", "job not requeued", errorFields(error));
    // The others are reconciled by their own messages or by the sweep, within five minutes.
    const reached = await inParallel(jobs.index.active(undefined, []), requeue, { width, until, now, failed });
    const more = reached !== "all";
    audit(log, context, "resume", { ...body.value, woken, more });
    const message = `Resumed; ${counted(woken, "waiting job was", "waiting jobs were")} woken${more ? " so far; the others follow" : ""}.`;
    const reply: Reply<"Resumed"> = { message, paused: false, woken, ...(more ? { more } : {}) };
    return json(more ? 202 : 200, reply);
  });
}
