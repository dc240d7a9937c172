import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

/** The Bicep compiler: checks templates against the published types of every resource, and evaluates a whole deployment offline. */
export const infra = fileURLToPath(new URL("../../infra", import.meta.url));

/** By the variable BICEP, on PATH, or where `az bicep install` puts it. */
export const bicep: string | undefined = [
  process.env["BICEP"],
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "bicep")),
  join(homedir(), ".azure/bin/bicep"),
].find((path) => path !== undefined && path !== "" && isProgram(path));

/** Why tests were skipped, for their names. */
export const without = "skipped: no Bicep compiler in BICEP, on PATH or in ~/.azure/bin";

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  /** Diagnostics of every severity. */
  readonly stderr: string;
}

export async function runBicep(words: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  if (bicep === undefined) throw new Error(without);
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
  try {
    return { exitCode: 0, ...(await promisify(execFile)(bicep, words, options)) };
  } catch (error) {
    return failed.parse(error);
  }
}

const failed = z
  .object({ code: z.number(), stdout: z.string(), stderr: z.string() })
  .transform(({ code, ...rest }) => ({ exitCode: code, ...rest }));

/** Runs with a copy of infra/, since the compiler writes beside what it reads. */
export async function inCopy<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "infra-"));
  try {
    await cp(infra, folder, { recursive: true });
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const resource = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  identity: z.looseObject({ type: z.string() }).optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof resource>;

export const evaluated = z.object({
  predictedResources: z.array(resource),
  diagnostics: z.array(z.unknown()),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
export type Evaluated = z.infer<typeof evaluated>;

export const subscriptionId = "11111111-1111-1111-1111-111111111111";
export const resourceGroup = "aci";

/**
 * What a deployment would make. What only Azure knows stays an expression, `[reference(...)...]`.
 *
 * @param file a parameter file, relative to `folder`
 * @param env for what the file reads from the environment
 * @returns the deployment, or the compiler's words where it refused
 */
export async function evaluate(folder: string, file: string, env: NodeJS.ProcessEnv = {}): Promise<Evaluated | string> {
  const scope = file === "azd.bicepparam" ? [] : ["--resource-group", resourceGroup];
  const words = [
    "snapshot",
    file,
    "--mode",
    "overwrite",
    "--subscription-id",
    subscriptionId,
    "--location",
    "westeurope",
  ];
  const clean = { ACI_PROXY_PREFIX: "", ACI_PROXY_ALERT_EMAIL: "operators@example.com" };
  const ran = await runBicep([...words, ...scope], folder, { ...clean, ...env });
  if (ran.exitCode !== 0 || ran.stderr !== "") return ran.stderr;
  const text = await readFile(join(folder, file.replace(/\.bicepparam$/, ".snapshot.json")), "utf8");
  return evaluated.parse(JSON.parse(text));
}

/** JSON text that does not depend on the order of members, which the compiler changes from run to run. */
export function canonical(value: unknown): string {
  const sorted = (_: string, member: unknown): unknown =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member;
  return `${JSON.stringify(value, sorted, 2)}\n`;
}
