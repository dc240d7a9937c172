import type { EventGridPublisherClient } from "@azure/eventgrid";
import type { TokenCredential } from "@azure/identity";
import { second } from "../base/duration.ts";
import { isLoopback } from "../config/settings.ts";
import { cloudEvent } from "../job/job-events.ts";
import type { Links } from "../job/urls.ts";
import type { EndpointClient } from "./endpoint.ts";

/** The whole call; the reconcile that sends waits no longer than this. */
const timeout = 5 * second;

/** The Event Grid topic of `EVENT_TOPIC_ENDPOINT`, for CloudEvents. A loopback one takes events without a token, like a local ARM. */
export function eventTopic(
  endpoint: string,
  credential: () => TokenCredential,
  source: () => Promise<string>,
  links: Links,
): EndpointClient {
  let client: Promise<EventGridPublisherClient<"CloudEvent">> | undefined;
  return {
    name: "eventTopic",
    wants: () => true,
    deliver: async (job, events, result) => {
      const from = await source();
      const abortSignal = AbortSignal.timeout(timeout);
      client ??= connect(endpoint, credential);
      await (
        await client
      ).send(
        events.map((event) => cloudEvent(job, event, from, links, result)),
        { abortSignal },
      );
    },
  };
}

/** Its library is loaded with the first event. */
async function connect(
  endpoint: string,
  credential: () => TokenCredential,
): Promise<EventGridPublisherClient<"CloudEvent">> {
  const { AzureKeyCredential, EventGridPublisherClient } = await import("@azure/eventgrid");
  const isLocal = isLoopback(endpoint);
  return new EventGridPublisherClient(
    endpoint,
    "CloudEvent",
    isLocal ? new AzureKeyCredential("local") : credential(),
    { retryOptions: { maxRetries: 0 }, allowInsecureConnection: isLocal },
  );
}
