import type { HttpClient } from "@azure/core-rest-pipeline";
import { second } from "../base/duration.ts";
import { noTelemetry, type Telemetry } from "../base/telemetry.ts";

/** The tables' client, with its calls as spans and times. Of an address they have the account's host and the table, and nothing else. */
export function measured(client: HttpClient, telemetry: Telemetry): HttpClient {
  if (telemetry === noTelemetry) return client;
  return {
    sendRequest: (request) => {
      const { hostname, pathname } = new URL(request.url);
      const { method } = request;
      const template = templateOf(pathname);
      const attributes = { "server.address": hostname, "http.request.method": method, "url.template": template };
      return telemetry.span({ name: `${method} ${template}`, kind: "client", attributes }, async (span) => {
        const began = performance.now();
        let status: number | undefined;
        try {
          const response = await client.sendRequest(request);
          ({ status } = response);
          span.set({ "http.response.status_code": status }, status >= 500);
          return response;
        } finally {
          telemetry.duration("aciproxy.storage.call.duration", (performance.now() - began) / second, {
            "http.request.method": method,
            "url.template": template,
            "http.response.status_code": status,
          });
        }
      });
    },
  };
}

/** What follows a table's name is keys. Azurite has the account in the path. */
function templateOf(pathname: string): string {
  const [, table] = /\/(jobs|jobindex|attempts|control|\$batch)(?:\(|$)/.exec(pathname) ?? [];
  return `/${table ?? "{table}"}`;
}
