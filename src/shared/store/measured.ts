import type { HttpClient } from "@azure/core-rest-pipeline";
import { second } from "../base/duration.ts";
import { noTelemetry, spanOfCall, type Telemetry } from "../base/telemetry.ts";

/** The tables' client, with its calls as spans and times. Of an address they have the account's host and the table, and nothing else. */
export function measured(client: HttpClient, telemetry: Telemetry): HttpClient {
  if (telemetry === noTelemetry) return client;
  return {
    sendRequest: (request) => {
      const { hostname: host, pathname } = new URL(request.url);
      const { method } = request;
      const template = templateOf(pathname);
      const began = performance.now();
      return spanOfCall(
        telemetry,
        { method, host, template, isFailure: (status) => status >= 500 },
        () => client.sendRequest(request),
        (status) =>
          telemetry.duration("aciproxy.storage.call.duration", (performance.now() - began) / second, {
            "http.request.method": method,
            "url.template": template,
            "http.response.status_code": status,
          }),
      );
    },
  };
}

/** What follows a table's name is keys. Azurite has the account in the path. */
function templateOf(pathname: string): string {
  const [, table] = /\/(jobs|jobindex|attempts|control|\$batch)(?:\(|$)/.exec(pathname) ?? [];
  return `/${table ?? "{table}"}`;
}
