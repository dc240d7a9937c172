import { check, type Order } from "../../../src/shared/order.ts";
import type { Refusal } from "../../../src/shared/errors.ts";
import type { Settings } from "../../../src/shared/settings.ts";

export function order(text: string, changes: Partial<Order> = {}): Order {
  return {
    text,
    query: {},
    envelope: {},
    via: "http",
    id: undefined,
    createdAt: undefined,
    idempotencyKey: undefined,
    callBackUri: undefined,
    replyTo: undefined,
    correlationId: undefined,
    traceparent: undefined,
    requestedBy: undefined,
    rerunOf: undefined,
    unknown: [],
    ...changes,
  };
}

/** Why a definition is not taken, if it isn't. */
export function refusalOf(text: string, settings: Settings): Refusal | undefined {
  const checked = check(order(text), settings);
  return checked.ok ? undefined : checked.error;
}
