import type { Secret } from "../base/errors.ts";
import { webhookBody } from "../job/job-events.ts";
import { hasEnded } from "../job/job.ts";
import { jobPageUrl, type Links } from "../job/urls.ts";
import { NotDelivered, type EndpointClient } from "./endpoint.ts";

interface WebhookOptions {
  /** POSTs JSON and gives the answer's status. */
  readonly post: (address: string, body: string) => Promise<number>;
  /** Ends that it is notified of: states in any letter case. */
  readonly on: readonly string[];
  readonly links: Links;
}

/** The chat channel or workflow of `NOTIFY_WEBHOOK`. Its address is a secret: whoever knows it can write there. */
export function webhook(address: Secret, { post, on, links }: WebhookOptions): EndpointClient {
  const isSlack = /(^|\.)slack(-gov)?\.com$/i.test(new URL(address.reveal()).hostname);
  const states = new Set(on.map((word) => word.toLowerCase()));
  return {
    name: "webhook",
    // People hear of an array once, and not of each of its children.
    wants: ({ phase, child }, { kind }) =>
      child === undefined && kind === "finished" && hasEnded(phase) && states.has(phase.state.toLowerCase()),
    deliver: async (job) => {
      const status = await post(address.reveal(), JSON.stringify(webhookBody(job, jobPageUrl(links, job.id), isSlack)));
      if (status < 200 || status >= 300) throw new NotDelivered(`HTTP ${status}`);
    },
  };
}
