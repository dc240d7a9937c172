import { z } from "zod";
import { counted } from "../../shared/base/text.ts";
import type { Deps } from "../../shared/deps.ts";
import { flag, readJson, text } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";

/** `GET /api/poison`, `POST /api/poison/replay` and `/drop` `{messageId?}`: messages that failed again and again. */
type PoisonDeps = Pick<Deps, "log" | "poison">;

export const poisonBody = z.object({ messageId: text(256).optional(), all: flag });

export function listPoison({ log, poison }: PoisonDeps) {
  return handler(log, async () => {
    const reply: Reply<"PoisonList"> = { messages: [...(await poison.list())] };
    return json(200, reply);
  });
}

export function takePoison({ log, poison }: PoisonDeps, what: "replay" | "drop") {
  return handler(log, async (request, context) => {
    const body = await readJson(request, poisonBody);
    if (!body.ok) return refuse(body.error, context);
    const { messageId, all } = body.value;
    if (messageId === undefined && !all) {
      return refuse({ code: "InvalidRequest", message: "Say which message by messageId, or all: true." }, context);
    }
    const taken = await poison.take(what, messageId);
    log("info", `poison ${what}`, { taken });
    if (taken === 0 && messageId !== undefined) {
      return refuse({ code: "MessageNotFound", message: "No message of that id is in the poison queue." }, context);
    }
    const message = `${counted(taken, "message was", "messages were")} ${what === "replay" ? "sent again" : "dropped"}.`;
    const reply: Reply<"PoisonTaken"> = what === "replay" ? { message, replayed: taken } : { message, dropped: taken };
    return json(200, reply);
  });
}
