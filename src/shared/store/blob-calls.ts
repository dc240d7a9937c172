import { subscribe } from "node:diagnostics_channel";
import { ClientRequest, IncomingMessage } from "node:http";
import { z } from "zod";
import { second } from "../base/duration.ts";
import { currentTrace, noTelemetry, type Telemetry } from "../base/telemetry.ts";

/** What Node's channels `http.client.*` publish ("Diagnostics Channel", built-in channels). */
const started = z.object({ request: z.instanceof(ClientRequest) });
const answered = started.extend({ response: z.instanceof(IncomingMessage) });

/**
 * Calls to blobs as spans and times. Their client has no place for that, but Node publishes every request. Of an address they have the
 * account's host and the container, and nothing else.
 *
 * @param host of the account's blobs, with its port
 */
export function followBlobCalls(host: string, telemetry: Telemetry): void {
  if (telemetry === noTelemetry) return;
  const statuses = new WeakMap<ClientRequest, number>();
  subscribe("http.client.response.finish", (message) => {
    const { request, response } = answered.parse(message);
    if (response.statusCode !== undefined) statuses.set(request, response.statusCode);
  });
  subscribe("http.client.request.start", (message) => {
    const { request } = started.parse(message);
    if (request.getHeader("host") !== host) return;
    const { method } = request;
    const [template, parent, from] = [templateOf(request.path), currentTrace(), timeNow()];
    request.once("close", () => {
      const [status, to] = [statuses.get(request), timeNow()];
      const attributes = {
        "http.request.method": method,
        "url.template": template,
        ...(status === undefined ? {} : { "http.response.status_code": status }),
      };
      const failed = status === undefined || status >= 500;
      const all = { ...attributes, "server.address": request.host };
      telemetry.past({ name: `${method} ${template}`, kind: "client", attributes: all, parent, from, to, failed });
      telemetry.duration("aciproxy.storage.call.duration", (to - from) / second, attributes);
    });
  });
}

/** Milliseconds since 1970, by the machine's own clock: what is measured is real time. */
const timeNow = (): number => performance.timeOrigin + performance.now();

/** What follows a container's name is names of blobs. Azurite has the account in the path. */
function templateOf(path: string): string {
  const [, container] = /\/(aci-logs|aci-sealed|aci-definitions)(?:[/?]|$)/.exec(path) ?? [];
  return `/${container ?? "{container}"}`;
}
