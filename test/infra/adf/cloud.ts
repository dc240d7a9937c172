import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../../local/stack/ports.ts";
import { startStack } from "../../../local/stack/stack.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { audience, claimsOf, startAuthority, tenant } from "../../kit/authority.ts";
import { programs } from "../../kit/part.ts";
import type { Json } from "./expressions.ts";
import type { FactoryOptions } from "./run.ts";

/** Everything that a pipeline reaches: the proxy on the local stack, the pipelines' vault and the jobs' vault. */
export interface Cloud {
  readonly factory: FactoryOptions;
  readonly url: string;
  readonly key: string;
  readonly vault: RunningVault;
  readonly jobVault: RunningVault;
  /** Where callers need a token: a bearer token of an application with that role. */
  bearer(role: string): Promise<string>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));
const key = "the-host-key-of-this-test";

/** The original's pipeline sets no wait, and its container's default is five minutes: here it is 0. */
async function hastyContainers(folder: string): Promise<string> {
  const containers = join(folder, "containers");
  await cp(join(root, "Containers"), containers, { recursive: true });
  const dockerfile = join(containers, "container1/Dockerfile");
  const lines = await readFile(dockerfile, "utf8");
  await writeFile(dockerfile, lines.replace(/^(FROM .*)$/m, "$1\nENV WAIT_SECONDS=0"));
  return containers;
}

/** What the dataset `Items` reads from the data lake. */
function rowsOf(dataset: string, parameters: Readonly<Record<string, Json>>): readonly Json[] {
  const rows = { "items.csv": ["north", "south", "west"].map((region) => ({ region })) };
  if (dataset !== "Items" || parameters["file"] !== "items.csv") throw new Error(`There is no dataset ${dataset}.`);
  return rows["items.csv"];
}

/** The factory's managed identity, as the application id in its tokens. */
export const factoryIdentity = "11111111-aaaa-bbbb-cccc-0000000000ad";

/** @param authMode `entra`: the proxy takes no key, but tokens of a tenant in which the factory has the role Job.Submit. */
export async function startCloud(authMode: "key" | "entra" = "key"): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), "adf-"));
  const [port = 0] = await freePorts(1);
  const jobVault = await startVault({ secrets: { "job-greeting": "a-secret-greeting" } });
  const authority = await startAuthority();
  const bearer = (role: string): Promise<string> => authority.sign(claimsOf(factoryIdentity, role, Date.now()));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    TMPDIR: folder,
    VAULT_URL: jobVault.url,
    VAULT_SECRET_PREFIX: "job-",
    CALLBACK_HOSTS: "localhost",
    AUTH_MODE: authMode,
    ENTRA_TENANT_ID: tenant,
    ENTRA_AUDIENCE: audience,
    ENTRA_AUTHORITY: authority.url,
  };
  const stack = await startStack(
    {
      port,
      folder: join(folder, "state"),
      host: "embedded",
      storage: "azurite",
      arm: { kind: "local", engine: "process", simulated: {}, control: false, faults: [] },
      key,
      verbose: false,
      env,
    },
    { ...programs, containers: await hastyContainers(folder) },
    new AbortController().signal,
  );
  const vault = await startVault({
    secrets: {
      "ACI-PROXY-URL": stack.url,
      "ACI-PROXY-KEY": key,
      "ACR-LOGIN-SERVER": "kgdemoacrdev.azurecr.io",
      "ACR-USERNAME": "kgdemoacrdev",
      "ACR-PASSWORD": "the-registry-password",
    },
  });
  const hosts = new Map([
    ["kgdemokeyvaultdev.vault.azure.net", vault.url],
    ["kgdemoaciproxydev.azurewebsites.net", stack.url],
  ]);
  const resolve = (url: URL): URL => {
    const here = hosts.get(url.hostname);
    return here === undefined ? url : new URL(`${url.pathname}${url.search}`, here);
  };
  const token = (wanted: string): Promise<string> =>
    wanted === audience ? bearer("Job.Submit") : Promise.resolve(`identity-of-the-factory-for-${wanted}`);
  return {
    factory: {
      name: "kgdemoadfdev",
      globalParameters: { env: "dev", prefix: "kgdemo" },
      world: { resolve, token, pollMs: 100, retryMs: 100, rows: rowsOf },
    },
    url: stack.url,
    key,
    vault,
    jobVault,
    bearer,
    stop: async () => {
      authority.stop();
      await Promise.all([stack.stop(), vault.stop(), jobVault.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}
