/** Hosts for these tests: the fixture app in this process. */
import { copyFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { QueueServiceClient } from "@azure/storage-queue";
import { build } from "esbuild";
import { z } from "zod";
import { type RunningHost, startHost } from "../../local/host/host.ts";
import type { HostOptions } from "../../local/host/options.ts";
import type { Azurite } from "../kit/azurite.ts";
import type { Run } from "./fixture-app/src/runs.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface BuiltApp {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Builds one of the fixture apps as an app is deployed: a folder of its own with one bundle that `main` names by a pattern. */
export async function buildApp(entry: "index" | "streaming" | "esm"): Promise<BuiltApp> {
  const folder = await mkdtemp(join(tmpdir(), "fixture-app-"));
  const esm = entry === "esm";
  await build({
    entryPoints: [here(`fixture-app/src/${entry}.ts`)],
    outfile: join(folder, "dist", `${entry}.${esm ? "mjs" : "cjs"}`),
    bundle: true,
    platform: "node",
    format: esm ? "esm" : "cjs",
    external: esm ? ["@azure/functions"] : ["@azure/functions-core"],
    logLevel: "warning",
  });
  if (esm) await symlink(here("../../node_modules"), join(folder, "node_modules"));
  await copyFile(here("fixture-app/host.json"), join(folder, "host.json"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "fixture", main: "dist/*.{cjs,mjs}" }));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

export interface Kit {
  readonly host: RunningHost;
  readonly queues: QueueServiceClient;
  /** The log so far, parsed. */
  readonly log: readonly { readonly level: string; readonly category: string; readonly message: string }[];
  call(path: string, init?: RequestInit): Promise<{ status: number; text: string; headers: Headers }>;
  /** The runs of a function so far, on any host of this process. */
  runs(name: string): Run[];
}

/** The settings that the fixture app names. */
export function fixtureSettings(azurite: Azurite, extra: Record<string, string> = {}): Record<string, string> {
  return {
    AzureWebJobsStorage: azurite.connectionString,
    FAILING_QUEUE: "failing",
    TICK: "* * * * * *",
    "AzureWebJobs.switchedOff.Disabled": "true",
    ...extra,
  };
}

const LogLine = z.object({ level: z.string(), category: z.string(), message: z.string() });

/** The app on a host in this process. */
export async function startKit(app: BuiltApp, azurite: Azurite, options: Partial<HostOptions> = {}): Promise<Kit> {
  const log: z.infer<typeof LogLine>[] = [];
  const sink = { write: (line: string) => void log.push(LogLine.parse(JSON.parse(line))), close: () => undefined };
  const host = await startHost(
    { appFolder: app.folder, port: 0, timerLeaseSeconds: 1, ...options, env: fixtureSettings(azurite, options.env) },
    sink,
  );
  return {
    host,
    log,
    queues: QueueServiceClient.fromConnectionString(azurite.connectionString),
    async call(path, init) {
      const reply = await fetch(`${host.url}${path}`, { redirect: "manual", ...init });
      return { status: reply.status, text: await reply.text(), headers: reply.headers };
    },
    runs: (name) => (globalThis.fixtureRuns ?? []).filter((run) => run.name === name),
  };
}

/** The value when the condition holds. */
export function when<T>(holds: boolean, value: T): T | undefined {
  return holds ? value : undefined;
}
