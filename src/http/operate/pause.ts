import { z } from "zod";
import type { Deps } from "../../shared/deps.ts";
import { audit } from "../lib/audit.ts";
import { readJson, text } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";

export const pauseBody = z.object({ reason: text(300) });

/** `POST /api/pause`: jobs are accepted and wait. */
export function pause({ log, control, now }: Pick<Deps, "log" | "control" | "now">) {
  return handler(log, async (request, context) => {
    const body = await readJson(request, pauseBody);
    if (!body.ok) return refuse(body.error, context);
    await control.installation();
    await control.pause(body.value.reason, now());
    const { reason } = body.value;
    audit(log, context, "pause", { reason });
    const reply: Reply<"Paused"> = { message: "Paused: jobs are accepted and wait.", paused: true, reason };
    return json(200, reply);
  });
}
