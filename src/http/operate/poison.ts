import { z } from "zod";
import { counted } from "../../shared/base/text.ts";
import { deriveJobId, type JobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { recordOf } from "../../shared/intake/resent.ts";
import type { PoisonMessage } from "../../shared/store/poison.ts";
import { queueNames } from "../../shared/store/queues.ts";
import { audit } from "../lib/audit.ts";
import { flag, readJson, text } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import { notEverybodys, seesEverything } from "../lib/visible.ts";
import type { Reply } from "../openapi/replies.ts";

/** `GET /api/poison`, `POST /api/poison/replay` and `/drop` `{messageId?}`: messages that failed again and again. */
type PoisonDeps = Pick<Deps, "log" | "now" | "poison" | "resender" | "held">;

export const poisonBody = z.object({ messageId: text(256).optional(), all: flag });

export function listPoison({ log, poison }: Pick<PoisonDeps, "log" | "poison">) {
  return handler(log, async (_request, context) => {
    if (!seesEverything(context)) return refuse(notEverybodys, context);
    const reply: Reply<"PoisonList"> = { messages: (await poison.list()).map(shown) };
    return json(200, reply);
  });
}

/** Where the service itself gave a message up, it says of which job it is, since when it waits, and for what. */
function shown({ messageId, insertedAt, text }: PoisonMessage) {
  const record = recordOf(text);
  return {
    messageId,
    insertedAt: new Date(insertedAt).toISOString(),
    bytes: Buffer.byteLength(text),
    ...(record ? { id: record.id, reason: record.why, since: new Date(record.since).toISOString() } : {}),
  };
}

/** Sent to `aci-jobs` again as the job that it was; one that the host gave up becomes one now, which it stays however often it is sent. */
async function replay(
  { resender, now }: PoisonDeps,
  { messageId, insertedAt, text }: PoisonMessage,
): Promise<JobId | undefined> {
  const opened = await resender.open(text);
  if (opened.kind === "finished") return undefined;
  const first = { id: deriveJobId(insertedAt, messageId), at: insertedAt, messageId, text };
  const resent = opened.kind === "resent" ? opened.resent : first;
  await resender.send(queueNames.jobs, { ...resent, since: now(), tries: 1, why: "Accepted" }, { delay: 0 });
  return resent.id;
}

/** What lay beside it goes, too. */
async function dropped({ resender, held }: PoisonDeps, { text }: PoisonMessage): Promise<JobId | undefined> {
  const opened = await resender.open(text);
  if (opened.kind !== "resent") return undefined;
  if (opened.parcel) await resender.finish(opened.parcel);
  await held.drop(opened.resent.id);
  return opened.resent.id;
}

export function takePoison(deps: PoisonDeps, what: "replay" | "drop") {
  const { log, poison } = deps;
  return handler(log, async (request, context) => {
    const body = await readJson(request, poisonBody);
    if (!body.ok) return refuse(body.error, context);
    const { messageId, all } = body.value;
    if (messageId === undefined && !all) {
      return refuse({ code: "InvalidRequest", message: "Say which message by messageId, or all: true." }, context);
    }
    const deal = what === "replay" ? replay : dropped;
    const { taken, more } = await poison.take(messageId, async (message) => {
      const job = await deal(deps, message);
      audit(log, context, `${what} poison message`, { messageId: message.messageId, job });
    });
    audit(log, context, `${what} poison messages`, { taken });
    if (taken === 0 && messageId !== undefined) {
      return refuse({ code: "MessageNotFound", message: "No message of that id is in the poison queue." }, context);
    }
    const done = what === "replay" ? "sent again" : "dropped";
    const rest = more ? "; there are more, so call again" : "";
    const message = `${counted(taken, "message was", "messages were")} ${done}${rest}.`;
    const number = what === "replay" ? { replayed: taken } : { dropped: taken };
    const reply: Reply<"PoisonTaken"> = { message, ...number, ...(more ? { more } : {}) };
    return json(200, reply);
  });
}
