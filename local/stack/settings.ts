import { join } from "node:path";
import { z } from "zod";
import { writtenIn } from "../../src/shared/config/readers.ts";
import { parseStorage } from "../../src/shared/config/storage-settings.ts";
import { readFaultFile, type Fault } from "../aci/control/faults.ts";
import { engines, type Engine } from "./engine.ts";

/** What a local stack is made of. From {@link stackSettings}, or {@link demoSettings}. */
export interface StackSettings {
  /** Port of the Functions host. */
  readonly port: number;
  /** Everything this stack writes. */
  readonly folder: string;
  readonly host: "embedded" | "func";
  readonly storage: "azurite" | "external";
  readonly arm:
    | {
        readonly kind: "local";
        readonly engine: Engine;
        /** What the simulated engine takes containers to do that don't say so themselves. */
        readonly simulated: Readonly<Record<string, string>>;
        /** Serves the control endpoint, /local/... */
        readonly control: boolean;
        /** What goes wrong from the start. */
        readonly faults: readonly Fault[];
      }
    | { readonly kind: "external"; readonly url: string };
  /** The host key that callers send. */
  readonly key: string;
  readonly verbose: boolean;
  /** Environment of the parts, app settings of the caller's own included. */
  readonly env: NodeJS.ProcessEnv;
}

export interface StartFlags {
  readonly port: string;
  readonly host: string;
  readonly verbose: boolean;
  readonly control: boolean;
  /** Where traces and metrics go; else `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly otlp?: string | undefined;
  /** A file of faults; else `ACI_FAULTS` names it. */
  readonly faults?: string | undefined;
}

/** What the sample's containers do (`Containers/container1`), for the engine that runs nothing. */
const sample = { SIM_RUN_SECONDS: "3", SIM_OUTPUT: "Hello World!\n" };

const engineShape = z.enum(engines, `ACI_ENGINE must be one of ${engines.join(", ")}`);
const engineOf = (env: NodeJS.ProcessEnv): string => (env["ACI_ENGINE"] || "process").toLowerCase();

const portRule = "--port must be a number from 1 to 65535";
const startShape = z.object({
  port: z.coerce.number(portRule).int(portRule).min(1, portRule).max(65535, portRule),
  host: z.enum(["embedded", "func"], "--host must be embedded or func"),
  engine: engineShape,
  otlp: z.url({ protocol: /^https?$/, error: "--otlp must be an http address" }).optional(),
  arm: z.url("AZURE_RESOURCE_MANAGER_ENDPOINT must be an absolute URL").optional(),
});

/**
 * Turns flags and environment of `npm start` into settings, or says what is wrong with them, a sentence each.
 *
 * @param readFile the text of a file, by its path
 */
export function stackSettings(
  flags: StartFlags,
  env: NodeJS.ProcessEnv,
  stateFolder: string,
  readFile: (path: string) => string,
): StackSettings | { readonly faults: readonly string[] } {
  const parsed = startShape.safeParse({
    port: flags.port,
    host: flags.host,
    engine: engineOf(env),
    otlp: flags.otlp,
    arm: env["AZURE_RESOURCE_MANAGER_ENDPOINT"] || undefined,
  });
  if (!parsed.success) return { faults: parsed.error.issues.map(({ message }) => message) };
  const { port, host, engine, arm, otlp } = parsed.data;
  const { control, faults: file = env["ACI_FAULTS"] || undefined } = flags;
  if (control && controlPort(port) > 65535)
    return { faults: [`--control needs a --port up to ${65535 - controlOffset}`] };
  if (arm !== undefined && (control || file !== undefined)) {
    return {
      faults: ["--control and --faults are for the local ACI, but AZURE_RESOURCE_MANAGER_ENDPOINT names another ARM"],
    };
  }
  const faults = file === undefined ? [] : readFaults(file, readFile);
  if (typeof faults === "string") return { faults: [faults] };
  const external = Object.keys(env).some((name) => hostStorage.test(name) && env[name]);
  const unusable = external ? faultsOfStorage(env) : [];
  if (unusable.length > 0) return { faults: unusable };
  return {
    port,
    host,
    folder: join(stateFolder, String(port)),
    storage: external ? "external" : "azurite",
    arm: arm === undefined ? { kind: "local", engine, simulated: {}, control, faults } : { kind: "external", url: arm },
    key: env["ACI_PROXY_KEY"] || "local",
    verbose: flags.verbose,
    // A local stack has somebody who waits for its metrics.
    env: otlp === undefined ? env : { OTEL_METRIC_EXPORT_INTERVAL: "5000", ...env, OTEL_EXPORTER_OTLP_ENDPOINT: otlp },
  };
}

/** Where the control endpoint of a stack is: `aci-proxy drill` finds it by the service's port. */
const controlOffset = 1000;
export const controlPort = (port: number): number => port + controlOffset;

/** Which vaults the stand-in replaces: those that the user does not bring. */
export function vaultParts({ env }: StackSettings): ("sealKey" | "vault")[] {
  return [
    ...(env["SEAL_KEY_ID"] || env["SEAL_KEY_FILE"] ? [] : ["sealKey" as const]),
    ...(env["VAULT_URL"] ? [] : ["vault" as const]),
  ];
}

/** Without it no part can start: each would say so in words of its own. */
function faultsOfStorage(env: NodeJS.ProcessEnv): readonly string[] {
  const faults: string[] = [];
  parseStorage(writtenIn(env, faults), faults);
  return faults.map((fault) => fault.replace(/\.$/, ""));
}

/** The faults in a file, or a sentence that says why they can't be read. */
function readFaults(file: string, readFile: (path: string) => string): readonly Fault[] | string {
  try {
    const read = readFaultFile(JSON.parse(readFile(file)));
    return read.success ? read.data : `the faults in ${file} are wrong: ${faultsOf(read.error)}`;
  } catch (error) {
    return `the faults in ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const faultsOf = (error: z.ZodError): string => z.prettifyError(error).replace(/\s*\n\s*/g, " ");

/** A stack that takes nothing from the caller's Azure settings and leaves nothing behind; or what is wrong, in a sentence each. */
export function demoSettings(
  port: number,
  folder: string,
  env: NodeJS.ProcessEnv,
  verbose: boolean,
): StackSettings | { readonly faults: readonly string[] } {
  const engine = engineShape.safeParse(engineOf(env));
  if (!engine.success) return { faults: engine.error.issues.map(({ message }) => message) };
  const own = Object.entries(env).filter(([name]) => !anyStorage.test(name) && !demoIgnores.has(name));
  return {
    port,
    folder,
    host: "embedded",
    storage: "azurite",
    arm: { kind: "local", engine: engine.data, simulated: sample, control: false, faults: [] },
    key: "local",
    verbose,
    env: Object.fromEntries(own),
  };
}

const demoIgnores = new Set(["AZURE_RESOURCE_MANAGER_ENDPOINT", "PUBLIC_URL", "TARGETS", "SEAL_KEY_ID", "VAULT_URL"]);

/** `AzureWebJobsStorage`, or a setting of its identity-based form (`AzureWebJobsStorage__accountName`, ...). */
const hostStorage = /^AzureWebJobsStorage(__\w+)?$/i;
/** The jobs' own storage too. */
const anyStorage = /^(AzureWebJobs|Jobs)Storage(__\w+)?$/i;

/**
 * App settings of the local stack: those that replace Azure services always, those that only need some value when the caller set no value.
 *
 * @param services addresses of what the stack started itself
 */
export function appSettings(
  settings: StackSettings,
  services: {
    readonly arm: string | undefined;
    readonly storage: string | undefined;
    readonly vault: string | undefined;
  },
): Readonly<Record<string, string>> {
  const vaults = services.vault === undefined ? [] : vaultParts(settings);
  const defaults: Readonly<Record<string, string>> = {
    AZURE_FUNCTIONS_ENVIRONMENT: "Development",
    AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
    AZURE_RESOURCE_GROUP: "local",
    PUBLIC_URL: `http://localhost:${settings.port}`,
    // Looking is free here, and somebody waits for the answer.
    LOOK_INTERVAL_MIN: "PT1S",
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.5",
    ...(vaults.includes("sealKey")
      ? { SEAL_KEY_ID: `${services.vault ?? ""}/keys/seal` }
      : settings.env["SEAL_KEY_ID"]
        ? {}
        : { SEAL_KEY_FILE: join(settings.folder, "seal.key") }),
    ...(vaults.includes("vault") ? { VAULT_URL: services.vault ?? "" } : {}),
    // The control endpoint takes callbacks.
    ...(services.vault === undefined ? {} : { CALLBACK_HOSTS: "localhost" }),
  };
  return {
    ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !settings.env[name])),
    ...(services.arm === undefined ? {} : { AZURE_RESOURCE_MANAGER_ENDPOINT: services.arm }),
    ...(services.storage === undefined ? {} : { AzureWebJobsStorage: services.storage }),
  };
}
