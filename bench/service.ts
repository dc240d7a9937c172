import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startAzurite } from "../test/kit/azurite.ts";
import type { Request } from "./load.ts";
import { startPart, type Part } from "./part.ts";

/** The embedded host with the built app, its floor, and the Azurite of both: three processes, as in the real stack. */
export interface Service {
  readonly app: Side;
  readonly floor: Side;
  stop(): Promise<void>;
}

export interface Side {
  readonly accept: Request;
  /** Of a job that has not ended. */
  readonly status: Request;
}

const at = (path: string): URL => new URL(path, import.meta.url);
const definition = (): Promise<string> => readFile(at("../examples/bellaciao.yaml"), "utf8");
const headers = { "x-functions-key": "bench", "content-type": "application/yaml" };

/**
 * Nothing but HTTP is measured: the functions of queue and timer are switched off, so that accepted jobs stay where they are.
 *
 * @param between what stands between the app and Azurite, from a connection string to another
 */
export async function startService(
  profileFolder: string | undefined,
  between: (connectionString: string, side: "app" | "floor") => Promise<string> = (same) => Promise.resolve(same),
): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "aci-proxy-bench-"));
  const running: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const each of running.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const azurite = await startAzurite();
    running.push(azurite);
    const host = await startHost(await between(azurite.connectionString, "app"), folder, profileFolder);
    running.push(host);
    const app = await sideOf(host.url);
    const floor = await startPart(
      at("floor.ts"),
      { connectionString: await between(azurite.connectionString, "floor"), job: app.job },
      join(folder, "floor.log"),
      ["--import", "tsx"],
    );
    running.push(floor);
    return { app, floor: requests(floor.url, await definition(), `/api/status/${app.job}?poll=1`), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startHost(storage: string, folder: string, profileFolder: string | undefined): Promise<Part> {
  const switchedOff: Record<string, string> = {};
  for (const name of ["provisioner", "wake", "events", "sweep"]) switchedOff[`AzureWebJobs.${name}.Disabled`] = "true";
  const options = {
    appFolder: fileURLToPath(at("..")),
    port: 0,
    hostKey: "bench",
    env: {
      AzureWebJobsStorage: storage,
      AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9", // never called: nothing is provisioned
      AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
      AZURE_RESOURCE_GROUP: "bench",
      PUBLIC_URL: "http://localhost:7071",
      SEAL_KEY_FILE: join(folder, "seal.key"),
      ...switchedOff,
    },
  };
  const flags = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  return startPart(at("../dist-local/host.mjs"), options, join(folder, "host.log"), flags);
}

async function sideOf(url: string): Promise<Side & { readonly job: string }> {
  const first = requests(url, await definition(), "");
  const { method, body } = first.accept;
  const response = await fetch(first.accept.url, { method, headers, ...(body === undefined ? {} : { body }) });
  if (response.status !== 202) throw new Error(`The app did not accept: ${response.status} ${await response.text()}`);
  const { id } = z.object({ id: z.string() }).parse(await response.json());
  return { ...requests(url, await definition(), `/api/status/${id}?poll=1`), job: id };
}

/** One name, many jobs: `uniqueName` gives each a group of its own. */
function requests(url: string, body: string, statusPath: string): Side {
  return {
    accept: { url: `${url}/api/trigger?polling=true&uniqueName=true`, method: "POST", headers, body },
    status: { url: url + statusPath, method: "GET", headers },
  };
}
