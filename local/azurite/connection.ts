/** Ports of the three storage services. */
export interface StoragePorts {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
}

/** Account name and key that every Azurite has; public knowledge (learn.microsoft.com, "Connect to Azurite"), so no secret. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** The connection string of an Azurite on this machine. */
export function connectionString({ blob, queue, table }: StoragePorts): string {
  return [
    "DefaultEndpointsProtocol=http",
    `AccountName=${account}`,
    `AccountKey=${key}`,
    `BlobEndpoint=http://127.0.0.1:${blob}/${account}`,
    `QueueEndpoint=http://127.0.0.1:${queue}/${account}`,
    `TableEndpoint=http://127.0.0.1:${table}/${account}`,
    "",
  ].join(";");
}
