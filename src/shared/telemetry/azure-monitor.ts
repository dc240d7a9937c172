import type { HttpClient } from "@azure/core-rest-pipeline";
import { ManagedIdentityCredential } from "@azure/identity";
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter";

export interface AzureMonitorOptions {
  readonly connectionString: string;
  /** As the host reads it: `ClientId=...;Authorization=AAD` where telemetry is sent with an identity. */
  readonly authentication: string | undefined;
  /** Instead of the network. */
  readonly httpClient?: HttpClient;
}

/** The exporters for Application Insights. Nothing is kept on the disk: what can't be sent in time is lost. */
export function azureMonitor({ connectionString, authentication = "", httpClient }: AzureMonitorOptions) {
  const clientId = /(?:^|;)ClientId=([^;]+)/i.exec(authentication)?.[1];
  const isByIdentity = /Authorization=AAD/i.test(authentication);
  const credential =
    clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
  const options = {
    connectionString,
    disableOfflineStorage: true,
    ...(isByIdentity ? { credential } : {}),
    ...(httpClient ? { httpClient } : {}),
  };
  return { traces: new AzureMonitorTraceExporter(options), metrics: new AzureMonitorMetricExporter(options) };
}
