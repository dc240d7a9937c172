/**
 * The Event Grid webhook, `/runtime/webhooks/EventGrid?functionName=NAME&code=SYSTEMKEY`, with both validation handshakes
 * ("Endpoint validation with Event Grid event schema", "... with CloudEvents schema").
 */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { readJson } from "./body.ts";
import type { AppFunction, Trigger } from "./functions.ts";
import type { Invoker } from "./invoke.ts";
import { type Keys, shownKey } from "./keys.ts";
import { type Answer, empty } from "./reply.ts";

export interface EventGridFunction {
  readonly called: AppFunction;
  readonly trigger: Extract<Trigger, { kind: "eventGrid" }>;
}

export interface EventGridOptions {
  readonly functions: ReadonlyMap<string, EventGridFunction>;
  readonly keys: Keys;
  readonly invoker: Invoker;
}

const ValidationSchema = z.array(z.looseObject({ data: z.looseObject({ validationCode: z.string() }) })).min(1);
const EventsSchema = z.union([z.array(z.looseObject({})), z.looseObject({}).transform((event) => [event])]);

/** 202 when every event's run succeeded; 500 makes Event Grid send the whole batch again; 401, 404, 400 as named. */
export async function eventGridWebhook(
  options: EventGridOptions,
  request: IncomingMessage,
  query: string,
): Promise<Answer> {
  const name = new URLSearchParams(query).get("functionName") ?? "";
  if (!options.keys.opens("system", shownKey(request.headers["x-functions-key"], query), name)) return empty(401);
  const target = options.functions.get(name.toLowerCase());
  if (target === undefined) return empty(404);
  if (request.method === "OPTIONS") return allowOrigin(request);
  if (request.method !== "POST") return empty(400);

  const body = await readJson(request);
  switch (eventType(request)) {
    case "subscriptionvalidation": {
      const code = ValidationSchema.safeParse(body).data?.[0]?.data.validationCode;
      return code === undefined ? empty(400) : { kind: "json", value: { validationResponse: code } };
    }
    case "unsubscribe":
      return empty(202);
    case "notification": {
      const events = EventsSchema.safeParse(body);
      if (!events.success) return empty(400);
      return empty((await deliver(options, target, events.data)) ? 202 : 500);
    }
    default:
      return empty(400);
  }
}

/** CloudEvents 1.0 deliveries need not carry Event Grid's own header. */
function eventType(request: IncomingMessage): string {
  const header = request.headers["aeg-event-type"];
  if (typeof header === "string") return header.toLowerCase();
  return (request.headers["content-type"] ?? "").startsWith("application/cloudevents") ? "notification" : "";
}

function allowOrigin(request: IncomingMessage): Answer {
  const origin = request.headers["webhook-request-origin"];
  if (typeof origin !== "string") return empty(400);
  return { kind: "empty", status: 200, headers: { "webhook-allowed-origin": origin, "webhook-allowed-rate": "*" } };
}

async function deliver(
  { invoker }: EventGridOptions,
  { called, trigger }: EventGridFunction,
  events: readonly object[],
): Promise<boolean> {
  const inputs = trigger.many ? [events] : events;
  const outcomes = await Promise.all(
    inputs.map((input) =>
      invoker.invoke(called, {
        inputData: [{ name: trigger.binding, data: { json: JSON.stringify(input) } }],
        triggerMetadata: {},
      }),
    ),
  );
  return outcomes.every((outcome) => outcome.ok);
}
