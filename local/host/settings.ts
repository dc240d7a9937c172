/** App settings: `%NAME%` in bindings, connections by name, and which functions are switched off. */
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";

export type Settings = Readonly<Record<string, string | undefined>>;

/** A fault that belongs to one function: that function is in error, the others serve. */
export class FunctionFault extends Error {
  override readonly name = "FunctionFault";
}

/**
 * Replaces each `%NAME%` by that setting.
 * @throws {FunctionFault} for a setting that is not there.
 */
export function expand(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined || value === "") throw new FunctionFault(`'%${name}%' does not resolve to a value.`);
    return value;
  });
}

/** Whether `AzureWebJobs.NAME.Disabled` is set for the function. */
export function isDisabled(functionName: string, settings: Settings): boolean {
  const value = settings[`AzureWebJobs.${functionName}.Disabled`] ?? settings[`AzureWebJobs_${functionName}_Disabled`];
  return value !== undefined && /^(true|1)$/i.test(value);
}

type Service = "queue" | "blob";

type Connection =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "identity"; readonly uri: string; readonly clientId: string | undefined };

/**
 * Finds a connection: `AzureWebJobsNAME` before `NAME`, a connection string before its identity form (`NAME__queueServiceUri` or
 * `NAME__accountName`, and `NAME__clientId`), as the storage extensions do.
 * @throws {FunctionFault} when there is no such setting.
 */
export function findConnection(name: string, service: Service, settings: Settings): Connection {
  for (const key of name.startsWith("AzureWebJobs") ? [name] : [`AzureWebJobs${name}`, name]) {
    const value = settings[key];
    if (value !== undefined && value !== "") return { kind: "string", value };
    const account = settings[`${key}__accountName`];
    const uri =
      settings[`${key}__${service}ServiceUri`] ??
      (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
    if (uri !== undefined) return { kind: "identity", uri, clientId: settings[`${key}__clientId`] };
  }
  throw new FunctionFault(
    `Storage account connection string '${name}' does not exist. Make sure that it is a defined App Setting.`,
  );
}

/** Opens a queue or blob service by connection name; each is opened once. */
export class StorageClients {
  readonly #settings: Settings;
  readonly #queues = new Map<string, Promise<QueueServiceClient>>();
  readonly #blobs = new Map<string, Promise<BlobServiceClient>>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @throws {FunctionFault} when the connection is missing or not readable. */
  queue(name: string): Promise<QueueServiceClient> {
    return once(this.#queues, name, async () =>
      open(
        findConnection(name, "queue", this.#settings),
        name,
        (text) => QueueServiceClient.fromConnectionString(text, RETRY),
        (uri, credential) => new QueueServiceClient(uri, credential, RETRY),
      ),
    );
  }

  /** @throws {FunctionFault} when the connection is missing or not readable. */
  blob(name: string): Promise<BlobServiceClient> {
    return once(this.#blobs, name, async () =>
      open(
        findConnection(name, "blob", this.#settings),
        name,
        (text) => BlobServiceClient.fromConnectionString(text, RETRY),
        (uri, credential) => new BlobServiceClient(uri, credential, RETRY),
      ),
    );
  }
}

/** Short: a listener has its own back-off, and a host that stops must not wait for a storage that is down. */
const RETRY = { retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 } };

function once<T>(made: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  let client = made.get(name);
  if (client === undefined) {
    client = make();
    made.set(name, client);
  }
  return client;
}

async function open<T>(
  connection: Connection,
  name: string,
  byString: (text: string) => T,
  byIdentity: (uri: string, credential: TokenCredential) => T,
): Promise<T> {
  if (connection.kind === "identity") {
    const { DefaultAzureCredential } = await import("@azure/identity"); // heavy, and rarely needed
    const { clientId } = connection;
    return byIdentity(
      connection.uri,
      new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId }),
    );
  }
  try {
    return byString(connection.value);
  } catch {
    // The SDK's message could quote the connection string, which holds a key.
    throw new FunctionFault(`The storage connection string '${name}' can't be read.`);
  }
}
