import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectionString } from "../azurite/connection.ts";
import { launch, PartFailed, type PartLocation, type PartProcess, type PartSpec } from "./part-process.ts";
import { choosePorts, freePorts, isFree, type Ports } from "./ports.ts";
import { claim, endLeftovers, removeRecord } from "./processes.ts";
import { appSettings, controlPort, vaultParts, type StackSettings } from "./settings.ts";
import { parseSettings } from "../../src/shared/config/settings.ts";

/** Where the programs of the parts and what they serve lie. */
export interface Programs {
  readonly azurite: string;
  readonly aci: string;
  readonly host: string;
  readonly func: string;
  readonly drills: string;
  /** The built app: `host.json`, `package.json`, `dist/`. */
  readonly app: string;
  /** Images as folders, for the process engine. */
  readonly containers: string;
}

/** As the build lays them out. @param folder where it did: this code runs as `dist-local/main.mjs`, unless a test runs it */
export function builtPrograms(folder: string | URL = import.meta.url): Programs {
  const at = (path: string): string => fileURLToPath(new URL(path, folder));
  return {
    azurite: at("azurite.mjs"),
    aci: at("aci.mjs"),
    host: at("host.mjs"),
    func: at("func.mjs"),
    drills: at("drills.mjs"),
    app: at(".."),
    containers: at("../Containers"),
  };
}

/** How long a stopping host waits for functions that run; within what a part's stop may take. */
export const drainSeconds = 10;

interface Address {
  readonly name: string;
  readonly address: string;
}

export interface Stack {
  /** Base address of the Functions host. */
  readonly url: string;
  readonly addresses: readonly Address[];
  /** What is wrong with the app's settings; it runs without those. */
  readonly settingFaults: readonly string[];
  /** Settles when a part ends that nobody asked to. */
  readonly broken: Promise<PartFailed>;
  /** Stops the parts in the reverse of their order of need; settles when every process has ended. */
  stop(): Promise<void>;
}

/** A start that can't be, in one line for the user. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}

/**
 * Starts Azurite, the local ACI (side by side) and then the Functions host.
 *
 * @param asked aborted when the user wants to stop: a start under way ends then
 * @throws CannotStart, PartFailed; whatever was started has been stopped then
 */
export async function startStack(settings: StackSettings, programs: Programs, asked: AbortSignal): Promise<Stack> {
  const pidFolder = join(settings.folder, "pids");
  const holder = await claim(pidFolder, "supervisor");
  if (holder !== undefined) {
    throw new CannotStart(`this stack is running already (process ${holder}); ${otherPort(settings)}`);
  }
  await endLeftovers(pidFolder, { except: "supervisor" });
  try {
    if (!(await isFree(settings.port))) throw portTaken(settings);
    for (let attempt = 1; ; attempt++) {
      const parts = new Parts(settings, pidFolder);
      try {
        return await startParts(parts, settings, programs, asked, () => removeRecord(pidFolder, "supervisor"));
      } catch (error) {
        await parts.stop();
        asked.throwIfAborted();
        if (!(error instanceof PartFailed) || error.code !== "EADDRINUSE") throw error;
        if (error.part === "host") throw portTaken(settings);
        if (hasControl(settings) && !(await isFree(controlPort(settings.port))))
          throw portTaken(settings, "the control endpoint's");
        if (attempt === 3) throw error; // somebody takes ports faster than we do
      }
    }
  } catch (error) {
    await removeRecord(pidFolder, "supervisor");
    throw error;
  }
}

async function startParts(
  parts: Parts,
  settings: StackSettings,
  programs: Programs,
  asked: AbortSignal,
  release: () => Promise<void>,
): Promise<Stack> {
  await mkdir(settings.folder, { recursive: true });
  const ports = await choosePorts(join(settings.folder, "ports.json"), settings.port);
  const direct = settings.storage === "azurite" ? connectionString(ports) : undefined;
  const drills = await drillsOf(settings, programs, ports, direct);
  const storage = drills?.storage ?? direct;
  const stop = (): void => void parts.stop();
  asked.throwIfAborted();
  asked.addEventListener("abort", stop, { once: true });
  try {
    const services = [...servicesOf(settings, programs, ports, direct), ...(drills ? [drills.part] : [])];
    const started = await Promise.all(services.map((spec) => parts.start(spec)));
    const localArm = started[services.findIndex(({ name }) => name === "aci")];
    const env = appSettings(settings, { arm: localArm, storage, vault: drills?.vault });
    const url = await parts.start(hostOf(settings, programs, env));
    return {
      url,
      addresses: addresses(settings, ports, url, localArm),
      settingFaults: parseSettings({ ...settings.env, ...env }).faults,
      broken: parts.broken,
      stop: () => parts.stop().finally(release),
    };
  } finally {
    asked.removeEventListener("abort", stop);
  }
}

function servicesOf(
  settings: StackSettings,
  programs: Programs,
  ports: Ports,
  storage: string | undefined,
): readonly PartSpec[] {
  const { blob, queue, table, aci } = ports;
  const specs: PartSpec[] = [];
  if (settings.storage === "azurite") {
    const options = { folder: join(settings.folder, "azurite"), blob, queue, table };
    specs.push({ name: "azurite", program: programs.azurite, options });
  }
  if (settings.arm.kind === "local") {
    const { JobsStorage: jobs, AzureWebJobsStorage: theirs } = settings.env;
    const events = jobs || storage || theirs; // where the app reads them
    const { engine, simulated, control, faults } = settings.arm;
    const options = {
      port: aci,
      engine,
      simulated,
      control,
      faults,
      stateFolder: join(settings.folder, "aci"),
      containersFolder: programs.containers,
      ...(!events ? {} : { eventQueue: { connectionString: events, queueName: "aci-events" } }),
    };
    specs.push({ name: "aci", program: programs.aci, options });
  }
  return specs;
}

/** The part between the app and its services, and what the app takes for them then. */
async function drillsOf(
  settings: StackSettings,
  programs: Programs,
  ports: Ports,
  direct: string | undefined,
): Promise<{ readonly part: PartSpec; readonly storage: string | undefined; readonly vault: string } | undefined> {
  if (!hasControl(settings)) return undefined;
  const [blob = 0, queue = 0, table = 0] = await freePorts(3);
  const vault = `http://127.0.0.1:${ports.vault}`;
  const options = {
    port: controlPort(settings.port),
    aci: `http://127.0.0.1:${ports.aci}`,
    ...(direct === undefined
      ? {}
      : {
          storage: {
            blob: { port: blob, target: ports.blob },
            queue: { port: queue, target: ports.queue },
            table: { port: table, target: ports.table },
            connectionString: direct,
          },
        }),
    vault: { port: ports.vault, folder: join(settings.folder, "vault"), serves: vaultParts(settings) },
  };
  const storage = direct === undefined ? undefined : connectionString({ blob, queue, table });
  return { part: { name: "drills", program: programs.drills, options }, storage, vault };
}

function hostOf(settings: StackSettings, programs: Programs, env: Readonly<Record<string, string>>): PartSpec {
  const { port, key } = settings;
  if (settings.host === "embedded") {
    const options = { appFolder: programs.app, port, env, hostKey: key, drainSeconds };
    return { name: "host", program: programs.host, options };
  }
  const options = {
    appFolder: programs.app,
    workFolder: join(settings.folder, "func"),
    pidFolder: join(settings.folder, "pids"),
    port,
    env,
  };
  return { name: "host", program: programs.func, options };
}

function addresses(settings: StackSettings, ports: Ports, url: string, localArm: string | undefined): Address[] {
  const local = (port: number): string => `http://127.0.0.1:${port}`;
  return [
    { name: settings.host === "func" ? "Functions host (Core Tools)" : "Functions host", address: url },
    settings.arm.kind === "local"
      ? { name: `local ACI (${settings.arm.engine})`, address: localArm ?? "" }
      : { name: "Azure Resource Manager", address: settings.arm.url },
    ...(hasControl(settings)
      ? [
          { name: "local ACI's control", address: `${localArm ?? ""}/local/` },
          { name: "Control (aci-proxy drill)", address: local(controlPort(settings.port)) },
        ]
      : []),
    settings.storage === "azurite"
      ? { name: "Azurite blob, queue, table", address: [ports.blob, ports.queue, ports.table].map(local).join("  ") }
      : { name: "Storage", address: "from AzureWebJobsStorage" },
  ];
}

const hasControl = ({ arm }: StackSettings): boolean => arm.kind === "local" && arm.control;

function portTaken(settings: StackSettings, whose?: string): CannotStart {
  const port = whose === undefined ? `${settings.port}` : `${controlPort(settings.port)}, ${whose},`;
  return new CannotStart(`port ${port} is taken by another program; ${otherPort(settings)}`);
}

function otherPort({ port }: StackSettings): string {
  return `choose another: npm start -- --port ${port + 1}`;
}

/** The processes of one stack, in the order of their start. */
class Parts {
  readonly #place: PartLocation;
  readonly #running: PartProcess[] = [];
  #stopping: Promise<void> | undefined;
  readonly broken: Promise<PartFailed>;
  #breaks: (failure: PartFailed) => void = () => undefined;

  constructor(settings: StackSettings, pidFolder: string) {
    this.#place = {
      pidFolder,
      logFile: (name) => join(settings.folder, "logs", `${name}.log`),
      verbose: settings.verbose,
      env: settings.env,
    };
    this.broken = new Promise((resolve) => (this.#breaks = resolve));
  }

  /** @returns the part's address */
  async start(spec: PartSpec): Promise<string> {
    if (this.#stopping) throw new PartFailed(spec.name, "Stopped", "was not started", []);
    const part = launch(spec, this.#place);
    this.#running.push(part);
    void part.ended.then((failure) => {
      if (!this.#stopping) this.#breaks(failure);
    });
    return part.ready;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#running.toReversed()) await part.stop();
  }
}
