import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { ArmKind, ArmRemaining } from "../limits/windows.ts";

/** What ARM's headers say beside an answer. */

/** The least that they tell of this kind of call: ARM counts by region of its own and over all of them. */
export function remainingIn({ headers }: PipelineResponse, kind: ArmKind, path: string): ArmRemaining | undefined {
  const told = ["subscription", "subscription-global"]
    .map((scope) => headers.get(`x-ms-ratelimit-remaining-${scope}-${kind}s`))
    .flatMap((text) => (text !== undefined && /^\d{1,9}$/.test(text) ? [Number(text)] : []));
  const subscriptionId = /^\/subscriptions\/([^/]+)\//.exec(path)?.[1];
  return told.length === 0 || subscriptionId === undefined
    ? undefined
    : { kind, subscriptionId, count: Math.min(...told) };
}

/** Its row keeps it. */
const maxOperation = 4000;

/** Where ARM says how an accepted create ended: path and query at its own endpoint, since only that gets our token. */
export function operationIn({ headers }: PipelineResponse, endpoint: string): string | undefined {
  const text = headers.get("azure-asyncoperation") ?? "";
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname, search } = new URL(text);
  const isOurs = origin === new URL(endpoint).origin && /^\/subscriptions\/[^/]+\/providers\//i.test(pathname);
  return isOurs && text.length <= maxOperation ? `${pathname}${search}` : undefined;
}
