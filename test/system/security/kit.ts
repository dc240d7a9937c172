/** The app as it is deployed, with everything around it on this machine, and the means to look at all that it left behind. */
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { TableClient, TableServiceClient } from "@azure/data-tables";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { startAci, type RunningAci } from "../../../local/aci/aci.ts";
import type { HostOptions } from "../../../local/host/options.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { startAzurite, type Azurite } from "../../kit/azurite.ts";
import { fastClock, programs, startPart } from "../../kit/part.ts";
import { until as firstOf } from "../../kit/until.ts";

export const hostKey = "the-host-key-of-these-tests";
const subscription = "11111111-2222-3333-4444-555555555555";

/** A reply as it came over the wire. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Service {
  readonly url: string;
  readonly azurite: Azurite;
  readonly aci: RunningAci;
  readonly vault: RunningVault;
  /** The bodies that the local ACI got by PUT, as JSON, by the group's name. */
  readonly sent: ReadonlyMap<string, string>;
  /** All that the host and the app wrote, so far. */
  log(): string;
  /** Every reply so far, headers included, as one text each. */
  readonly replies: readonly string[];
  call(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Reply>;
  post(queue: string, message: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param env settings of the app beyond what it needs to start
 * @param factor how much faster than ours time runs for host and storage
 */
export async function startService(env: Readonly<Record<string, string>> = {}, factor = 1): Promise<Service> {
  const first = factor === 1 ? undefined : fastClock(factor);
  const [azurite, vault] = await Promise.all([startAzurite({ first }), startVault({ keys: ["seal"] })]);
  const aci = await startAci({
    engine: "simulated",
    limits: false,
    eventQueue: { connectionString: azurite.connectionString, queueName: "aci-events" },
  });
  const sent = new Map<string, string>();
  const put = aci.provider.put.bind(aci.provider);
  aci.provider.put = (id, body, cause) => {
    sent.set(id.name, JSON.stringify(body));
    return put(id, body, cause);
  };
  const settings = {
    AzureWebJobsStorage: azurite.connectionString,
    AZURE_RESOURCE_MANAGER_ENDPOINT: aci.url,
    AZURE_SUBSCRIPTION_ID: subscription,
    AZURE_RESOURCE_GROUP: "jobs",
    PUBLIC_URL: "http://localhost:7071",
    SEAL_KEY_ID: `${vault.url}/keys/seal`,
    VAULT_URL: vault.url,
    LOOK_INTERVAL_MIN: "1",
    LOOK_INTERVAL_MAX: "1",
    CALLBACK_HOSTS: "localhost",
    ...env,
  };
  const options: HostOptions = { appFolder: programs.app, port: 0, hostKey, env: settings, drainSeconds: 5 };
  const written: Buffer[] = [];
  const host = await startPart("host", options, { first, write: (chunk) => void written.push(chunk) });
  const { url } = host;
  const replies: string[] = [];
  return {
    url,
    azurite,
    aci,
    vault,
    sent,
    replies,
    log: () => Buffer.concat(written).toString("utf8"),
    async call(method, path, body, headers = { "x-functions-key": hostKey }) {
      const address = path.replace("http://localhost:7071", "");
      const response = await fetch(`${url}${address}`, {
        method,
        headers,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      replies.push(`${response.status}\n${[...response.headers].join("\n")}\n\n${text}`);
      return { status: response.status, text, headers: response.headers, body: objectOf(text) };
    },
    async post(queue, text) {
      const client = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(queue);
      await client.sendMessage(text, { messageTimeToLive: -1 });
    },
    async stop() {
      await host.end("SIGTERM");
      await Promise.all([aci.stop(), vault.stop(), azurite.stop()]);
    },
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Something that is stored, and where. */
export interface Stored {
  readonly where: string;
  readonly bytes: Buffer;
}

/** Every entity, message and blob of the storage account; what is compressed also opened. */
export async function everythingIn(connectionString: string, withoutQueues: readonly string[]): Promise<Stored[]> {
  return [
    ...(await tables(connectionString)),
    ...(await queues(connectionString, withoutQueues)),
    ...(await blobs(connectionString)),
  ].flatMap((each) => [each, ...opened(each)]);
}

async function tables(connectionString: string): Promise<Stored[]> {
  const found: Stored[] = [];
  const options = { allowInsecureConnection: true };
  for await (const { name = "" } of TableServiceClient.fromConnectionString(connectionString, options).listTables()) {
    for await (const entity of TableClient.fromConnectionString(connectionString, name, options).listEntities()) {
      const parts = Object.entries(entity).map(([column, value]) => ({ where: `table ${name} ${column}`, value }));
      for (const { where, value } of parts)
        found.push({ where, bytes: value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)) });
    }
  }
  return found;
}

async function queues(connectionString: string, without: readonly string[]): Promise<Stored[]> {
  const found: Stored[] = [];
  const service = QueueServiceClient.fromConnectionString(connectionString);
  for await (const { name } of service.listQueues()) {
    if (without.includes(name)) continue;
    const { peekedMessageItems } = await service.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) {
      found.push({ where: `queue ${name}`, bytes: Buffer.from(messageText) });
      found.push({ where: `queue ${name}, decoded`, bytes: Buffer.from(messageText, "base64") });
    }
  }
  return found;
}

async function blobs(connectionString: string): Promise<Stored[]> {
  const found: Stored[] = [];
  const service = BlobServiceClient.fromConnectionString(connectionString);
  for await (const container of service.listContainers()) {
    for await (const { name } of service.getContainerClient(container.name).listBlobsFlat()) {
      const { readableStreamBody } = await service.getContainerClient(container.name).getBlobClient(name).download();
      const bytes = readableStreamBody ? await buffer(readableStreamBody) : Buffer.alloc(0);
      found.push({ where: `blob ${container.name}/${name}`, bytes });
    }
  }
  return found;
}

function opened({ where, bytes }: Stored): Stored[] {
  try {
    return [{ where: `${where}, decompressed`, bytes: gunzipSync(bytes) }];
  } catch {
    return [];
  }
}

/** How a service that quotes what it was sent could write a secret. */
export function writingsOf(secret: string): string[] {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify({ secret }),
    dotNet(secret),
    smallCodes(dotNet(secret)),
    JSON.stringify(dotNet(secret)),
    html(secret),
    base64(secret),
    base64(`user:${secret}`),
    base64(`{"password":"${secret}"}`),
  ];
}

/** As System.Text.Json writes it. */
function dotNet(text: string): string {
  const code = (sign: string): string => sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return text.replaceAll(/[^A-Za-z0-9 /.-]/g, (sign) => `\\u${code(sign)}`);
}

function smallCodes(text: string): string {
  return text.replaceAll(/\\u[0-9A-F]{4}/g, (code) => code.toLowerCase());
}

function html(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 ./-]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** The forms in which a secret could be found: plain, URL-encoded, inside JSON, and base64 at each of its three shifts. */
export function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString("base64");
    return encoded.replace(/=+$/, "").slice(shift === 0 ? 0 : shift + 1, -1);
  });
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
    dotNet(secret),
    smallCodes(dotNet(secret)),
    JSON.stringify(dotNet(secret)).slice(1, -1),
    html(secret),
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/** What a job needs may take 80 seconds. */
export const until = <T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> =>
  firstOf(what, look, 80_000);
