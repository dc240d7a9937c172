import { unresolved, type Written } from "./readers.ts";

/** Where the tables, queues and blobs are: a connection string, or endpoints reached with our identity. */
export type StorageConnection =
  | { readonly kind: "connectionString"; readonly setting: string; readonly value: string }
  | {
      readonly kind: "identity";
      readonly setting: string;
      readonly queue: string;
      readonly table: string;
      readonly blob: string;
      readonly clientId: string | undefined;
    }
  | { readonly kind: "missing"; readonly setting: string };

const accounts = ["JobsStorage", "AzureWebJobsStorage"] as const;
const services = ["queue", "table", "blob"] as const;

/** Every setting that says where storage is. */
export const storageSettings: readonly string[] = accounts.flatMap((account) => [
  account,
  `${account}__accountName`,
  `${account}__clientId`,
  ...services.map((service) => `${account}__${service}ServiceUri`),
]);

/** `JobsStorage` where jobs live in another account than the host's own, else `AzureWebJobsStorage`; either form of each. */
export function parseStorage(written: Written, faults: string[]): StorageConnection {
  for (const setting of accounts) {
    const missing = { kind: "missing", setting } as const;
    const faulty = (name: string, must: string): StorageConnection => {
      faults.push(`${name} must be ${must}.`);
      return missing;
    };
    const value = written(setting);
    if (value === unresolved) return missing;
    if (value !== undefined) {
      return isConnectionString(value)
        ? { kind: "connectionString", setting, value }
        : faulty(setting, "a storage account's whole connection string, without quotes, as the portal shows it");
    }
    const account = written(`${setting}__accountName`);
    const addresses = services.map((service) => written(`${setting}__${service}ServiceUri`));
    const clientId = written(`${setting}__clientId`);
    if (account === unresolved || clientId === unresolved || addresses.includes(unresolved)) return missing;
    if (account !== undefined && !/^[a-z\d]{3,24}$/.test(account))
      return faulty(`${setting}__accountName`, "a storage account's name: 3 to 24 lower-case letters and digits");
    const [queue, table, blob] = services.map((service, n) => {
      const address = addresses[n];
      return typeof address === "string" || account === undefined
        ? address
        : `https://${account}.${service}.core.windows.net`;
    });
    if (typeof queue === "string" && typeof table === "string" && typeof blob === "string") {
      const wrong = services.find((_, n) => !URL.canParse([queue, table, blob][n] ?? ""));
      return wrong === undefined
        ? { kind: "identity", setting, queue, table, blob, clientId }
        : faulty(`${setting}__${wrong}ServiceUri`, `an address, like https://ACCOUNT.${wrong}.core.windows.net`);
    }
    if (queue ?? table ?? blob) {
      faults.push(
        `${setting} by identity needs all of ${setting}__queueServiceUri, __tableServiceUri and __blobServiceUri.`,
      );
      return missing;
    }
  }
  faults.push("AzureWebJobsStorage must say where jobs are stored (a connection string or its identity-based form).");
  return { kind: "missing", setting: "AzureWebJobsStorage" };
}

/** Whether the clients of queues, tables and blobs can all be made of it: they throw where it lacks a part. */
function isConnectionString(value: string): boolean {
  if (value.startsWith("UseDevelopmentStorage=true")) return true;
  const part = (name: string): string => new RegExp(`(?:^|;)\\s*${name}=([^;]*)`).exec(value)?.[1]?.trim() ?? "";
  const [protocol, account, suffix] = [part("DefaultEndpointsProtocol"), part("AccountName"), part("EndpointSuffix")];
  const hasEndpoints = ["Blob", "Queue", "Table"].every((service) => {
    const named = part(`${service}Endpoint`) || (suffix && `${protocol}://${account}.${service}.${suffix}`);
    return /^https?:/.test(named) && URL.canParse(named);
  });
  const hasKey = protocol !== "" && account !== "" && /^[A-Za-z\d+/]+={0,2}$/.test(part("AccountKey"));
  return hasEndpoints && (hasKey || part("SharedAccessSignature") !== "");
}
