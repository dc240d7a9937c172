import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseJobId } from "../src/shared/base/ids.ts";
import { keyOfMinted } from "../src/shared/store/job-row.ts";
import { startAzurite } from "../test/kit/azurite.ts";
import type { Request } from "./load.ts";
import { bundleApp } from "./small-app.ts";
import { startPart, type Part } from "./part.ts";

/** Three processes that are measured in turn, each with an Azurite of its own that is new, so that no side's rows slow another's. */
export interface Service {
  /** The built app on the embedded host. */
  readonly app: Side;
  /** A bare server with the same storage calls. */
  readonly floor: Side;
  /** A bare Functions app with the same storage calls, on the embedded host. */
  readonly bare: Side;
  stop(): Promise<void>;
}
export type SideName = Exclude<keyof Service, "stop">;

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
 * @param between what stands between a side and its Azurite, from a connection string to another
 */
export async function startService(
  profileFolder: string | undefined,
  between: (connectionString: string, side: SideName) => Promise<string> = (same) => Promise.resolve(same),
): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "aci-proxy-bench-"));
  const running: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const each of running.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const started = async <T extends { stop(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    running.push(await part);
    return part;
  };
  const storageOf = async (side: SideName): Promise<string> =>
    between((await started(startAzurite())).connectionString, side);
  try {
    const appStorage = await storageOf("app");
    const host = await started(startHost(fileURLToPath(at("..")), appEnv(appStorage, folder), folder, profileFolder));
    const { job, ...app } = await sideOf(host);
    const id = parseJobId(job);
    const key = id && keyOfMinted(id);
    const floorOptions = { storage: await storageOf("floor"), appStorage, job, key };
    const log = join(folder, "floor.log");
    const floor = await started(startPart(at("floor.ts"), floorOptions, log, ["--import", "tsx"]));
    const bareOptions = { ...floorOptions, storage: await storageOf("bare") };
    const env = { BENCH_FLOOR: JSON.stringify(bareOptions), AzureWebJobsStorage: bareOptions.storage };
    const bare = await started(startHost(await bareApp(join(folder, "bare")), env, folder, undefined));
    const body = await definition();
    const path = `/api/status/${job}?poll=1`;
    const paths = { status: path, link: path, readKey: path };
    const side = ({ pid, url }: Part): Side => ({ pid, ...requests(url, body, paths) });
    return { app, floor: side(floor), bare: side(bare), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function appEnv(storage: string, folder: string): Record<string, string> {
  const switchedOff: Record<string, string> = {};
  for (const name of ["provisioner", "wake", "events", "sweep"]) switchedOff[`AzureWebJobs.${name}.Disabled`] = "true";
  return {
    AzureWebJobsStorage: storage,
    AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9", // never called: nothing is provisioned
    AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
    AZURE_RESOURCE_GROUP: "bench",
    PUBLIC_URL: "http://localhost:7071",
    SEAL_KEY_FILE: join(folder, "seal.key"),
    READ_KEY: readKey,
    ...switchedOff,
  };
}

function startHost(
  appFolder: string,
  env: Record<string, string>,
  folder: string,
  profileFolder: string | undefined,
): Promise<Part> {
  const flags = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const options = { appFolder, port: 0, hostKey: "bench", env };
  return startPart(at("../dist-local/host.mjs"), options, join(folder, `${basename(appFolder)}.log`), flags);
}

async function bareApp(folder: string): Promise<string> {
  await bundleApp(folder, await readFile(at("bare-app.ts"), "utf8"));
  return folder;
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
