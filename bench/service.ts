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
  /** Of its process. */
  readonly pid: number;
  readonly accept: Request;
  /** Of a job that has not ended; by its id, through its capability link, and with the read key. */
  readonly status: Request;
  readonly link: Request;
  readonly readKey: Request;
}

const at = (path: string): URL => new URL(path, import.meta.url);
const definition = (): Promise<string> => readFile(at("../examples/bellaciao.yaml"), "utf8");
const readKey = "bench-read-key-0123456789abcdef";
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
    const app = await sideOf(host);
    const floor = await startPart(
      at("floor.ts"),
      { connectionString: await between(azurite.connectionString, "floor"), job: app.job },
      join(folder, "floor.log"),
      ["--import", "tsx"],
    );
    running.push(floor);
    const status = `/api/status/${app.job}?poll=1`;
    const paths = { status, link: status, readKey: status };
    return { app, floor: { pid: floor.pid, ...requests(floor.url, await definition(), paths) }, stop };
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
      READ_KEY: readKey,
      ...switchedOff,
    },
  };
  const flags = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  return startPart(at("../dist-local/host.mjs"), options, join(folder, "host.log"), flags);
}

async function sideOf({ url, pid }: Part): Promise<Side & { readonly job: string }> {
  const body = await definition();
  const post = async (query: string) => {
    const response = await fetch(`${url}/api/trigger?${query}`, { method: "POST", headers, body });
    if (response.status !== 202) throw new Error(`The app did not accept: ${response.status} ${await response.text()}`);
    const { id } = z.object({ id: z.string() }).parse(await response.json());
    return { id, location: new URL(response.headers.get("location") ?? "") };
  };
  const { id } = await post("polling=true&uniqueName=true");
  const { location } = await post("polling=link&uniqueName=true");
  const paths = {
    status: `/api/status/${id}?poll=1`,
    link: location.pathname + location.search,
    readKey: `/api/read/status/${id}?poll=1&code=${readKey}`,
  };
  return { pid, job: id, ...requests(url, body, paths) };
}

/** One name, many jobs: `uniqueName` gives each a group of its own. */
function requests(url: string, body: string, paths: Record<"status" | "link" | "readKey", string>): Omit<Side, "pid"> {
  const get = (path: string, by: Request["headers"]): Request => ({ url: url + path, method: "GET", headers: by });
  return {
    accept: { url: `${url}/api/trigger?polling=true&uniqueName=true`, method: "POST", headers, body },
    status: get(paths.status, headers),
    link: get(paths.link, {}),
    readKey: get(paths.readKey, {}),
  };
}
