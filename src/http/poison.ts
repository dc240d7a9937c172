import { z } from "zod";
import type { Deps } from "../shared/deps.ts";
import { readJson } from "./operate.ts";
import { handler, json, refuse } from "./reply.ts";

/** `GET /api/poison`, `POST /api/poison/replay` and `/drop` `{messageId?}`: messages that failed again and again. */
type PoisonDeps = Pick<Deps, "log" | "poison">;

export function listPoison({ log, poison }: PoisonDeps) {
  return handler(log, async () => json(200, { messages: await poison.list() }));
}

export function takePoison({ log, poison }: PoisonDeps, what: "replay" | "drop") {
  return handler(log, async (request, context) => {
    const body = await readJson(
      request,
      z.object({ messageId: z.string().optional(), all: z.boolean().default(false) }),
    );
    if (!body.ok) return refuse(body.error, context);
    const { messageId, all } = body.value;
    if (messageId === undefined && !all) {
      return refuse({ code: "InvalidRequest", message: "Say which message by messageId, or all: true." }, context);
    }
    const taken = await poison.take(what, messageId);
    log("info", `poison ${what}`, { taken });
    return json(taken === 0 && messageId !== undefined ? 404 : 200, {
      message: `${taken} messages: ${what}.`,
      [what === "replay" ? "replayed" : "dropped"]: taken,
    });
  });
}
