import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../../local/stack/ports.ts";
import { startStack } from "../../../local/stack/stack.ts";
import { startVault, type RunningVault } from "../../../local/vault/vault.ts";
import { programs } from "../../kit/part.ts";
import type { FactoryOptions } from "./run.ts";

/** Everything that a pipeline reaches: the proxy on the local stack, the pipelines' vault and the jobs' vault. */
export interface Cloud {
  readonly factory: FactoryOptions;
  readonly url: string;
  readonly key: string;
  readonly vault: RunningVault;
  readonly jobVault: RunningVault;
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

export async function startCloud(): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), "adf-"));
  const [port = 0] = await freePorts(1);
  const jobVault = await startVault({ secrets: { "job-greeting": "a-secret-greeting" } });
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    TMPDIR: folder,
    VAULT_URL: jobVault.url,
    VAULT_SECRET_PREFIX: "job-",
    CALLBACK_HOSTS: "localhost",
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
  const resolve = (url: URL): URL =>
    url.hostname === "kgdemokeyvaultdev.vault.azure.net" ? new URL(`${url.pathname}${url.search}`, vault.url) : url;
  return {
    factory: {
      name: "kgdemoadfdev",
      globalParameters: { env: "dev", prefix: "kgdemo" },
      world: { resolve, pollMs: 100, retryMs: 100 },
    },
    url: stack.url,
    key,
    vault,
    jobVault,
    stop: async () => {
      await Promise.all([stack.stop(), vault.stop(), jobVault.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}
