import { odata, TableClient } from "@azure/data-tables";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { QueueServiceClient, type QueueClient } from "@azure/storage-queue";
import { z } from "zod";
import { second } from "../base/duration.ts";
import { messageOf, Unavailable } from "../base/errors.ts";
import { noTelemetry, type Telemetry } from "../base/telemetry.ts";
import { followBlobCalls } from "./blob-calls.ts";
import { measured } from "./measured.ts";
import { ownCredential } from "./own-credential.ts";
import { pointReader, type PointRead } from "./point-read.ts";
import type { StorageConnection } from "../config/storage-settings.ts";
import { tableHttp } from "./table-http.ts";

/** The storage account's three clients, made the same way, and what its errors mean. */
export interface Storage {
  table(name: string): TableClient;
  /** Reads single entities of a table: these columns alone. */
  pointReader(table: string, columns: readonly string[]): PointRead;
  readonly queues: QueueServiceClient;
  readonly blobs: BlobServiceClient;
}

const retryOptions = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2 * second };

const nowhere = [
  "DefaultEndpointsProtocol=http",
  "AccountName=missing",
  "AccountKey=bWlzc2luZw==",
  ...["Blob", "Queue", "Table"].map((service) => `${service}Endpoint=http://127.0.0.1:1/missing`),
].join(";");

/** @param tableTimeout how long a call to a table may take; the SDK does not repeat one that took longer */
export function connectStorage(
  connection: StorageConnection,
  tableTimeout = 15 * second,
  telemetry: Telemetry = noTelemetry,
): Storage {
  const httpClient = measured(tableHttp(tableTimeout), telemetry);
  switch (connection.kind) {
    case "connectionString": {
      const { value } = connection;
      const options = { allowInsecureConnection: true, retryOptions, httpClient };
      const table = (name: string) => slim(TableClient.fromConnectionString(value, name, options));
      const pipeline = { retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2 * second } };
      const blobs = BlobServiceClient.fromConnectionString(value, pipeline);
      followBlobCalls(new URL(blobs.url).host, telemetry);
      return {
        table,
        pointReader: (name, columns) => pointReader(table(name), httpClient, columns),
        queues: QueueServiceClient.fromConnectionString(value, pipeline),
        blobs,
      };
    }
    case "identity": {
      const { clientId } = connection;
      const options = { retryOptions, httpClient };
      const credential = ownCredential(clientId);
      const table = (name: string) => slim(new TableClient(connection.table, name, credential, options));
      followBlobCalls(new URL(connection.blob).host, telemetry);
      return {
        table,
        pointReader: (name, columns) => pointReader(table(name), httpClient, columns),
        queues: new QueueServiceClient(connection.queue, credential),
        blobs: new BlobServiceClient(connection.blob, credential),
      };
    }
    // Without a storage setting the app still loads, so that its replies can say what is missing: nothing answers at this address.
    case "missing":
      return connectStorage({ ...connection, kind: "connectionString", value: nowhere }, tableTimeout, telemetry);
  }
}

/**
 * Steps that the tables' service has no use for (it neither redirects, compresses nor takes forms), tracing that nobody reads, and
 * signals of other kinds than the platform's own, which nobody passes.
 */
const needless = [
  "tracingPolicy",
  "redirectPolicy",
  "multipartPolicy",
  "formDataPolicy",
  "decompressResponsePolicy",
  "wrapAbortSignalLikePolicy",
];

function slim(client: TableClient): TableClient {
  for (const name of needless) client.pipeline.removePolicy({ name });
  return client;
}

export function statusOfError(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

/**
 * The clients of queues and blobs wait for an answer without end, and the tables' with their repetitions longer than Data Factory's
 * minute for a call.
 */
const longest = 25 * second;

async function inTime<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${longest / second} s`)), longest);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const tableNames = { jobs: "jobs", index: "jobindex", attempts: "attempts", control: "control" } as const;

/**
 * The result of a storage call, or one of the outcomes that the caller expects.
 *
 * @throws Unavailable for everything else: storage is down, slow, or refuses us
 */
export async function storageCall<T, const S extends readonly (400 | 404 | 409 | 412)[] = readonly []>(
  call: () => Promise<T>,
  ...expected: S
): Promise<T | S[number]> {
  try {
    return await inTime(call());
  } catch (error) {
    const status = statusOfError(error);
    const outcome = isGoing(error) ? undefined : expected.find((candidate) => candidate === status);
    if (outcome !== undefined) return outcome;
    throw new Unavailable("storage", `Storage did not answer as it should: ${firstLine(messageOf(error))}`, {
      cause: error,
    });
  }
}

/**
 * For half a minute after somebody deleted a container, table or queue, storage answers 409 to whatever would write there: that is never
 * the 409 of something that exists ("Common REST API error codes", "Table Storage error codes").
 */
function isGoing(error: unknown): boolean {
  return error instanceof Error && /(?:Container|Table|Queue)BeingDeleted/.test(codesOf(error));
}

/** Blobs and queues have a `code`, tables have theirs within `details`. */
function codesOf(error: Error): string {
  const { code, details } = wireError.parse(error);
  return `${code ?? ""} ${details?.odataError?.code ?? ""}`;
}

const word = z.string().optional().catch(undefined);
const wireError = z.object({
  code: word,
  details: z
    .object({ odataError: z.object({ code: word }).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/**
 * Writes to a table, queue or container of the service's own. One that somebody deleted is made anew: nothing else would, and no job would
 * come to its end.
 */
export function writeInto<T, const S extends readonly (409 | 412)[] = readonly []>(
  place: TableClient | QueueClient | ContainerClient,
  write: () => Promise<T>,
  ...expected: S
): Promise<T | S[number]> {
  const call = async (): Promise<T> => {
    try {
      return await write();
    } catch (error) {
      if (statusOfError(error) !== 404) throw error;
      await ("createTable" in place ? place.createTable() : place.createIfNotExists());
      return write();
    }
  };
  return storageCall(call, ...expected);
}

/** The entities of a partition; of a table that is not there it gives nothing. */
export async function* entitiesOf(table: TableClient, partition: string) {
  const rows = table.listEntities({ queryOptions: { filter: odata`PartitionKey eq ${partition}` } });
  for (;;) {
    const next = await storageCall(() => rows.next(), 404);
    if (next === 404 || next.done) return;
    yield next.value;
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
