import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
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

/**
 * For its runtime: the compiler lives for seconds, in which compiling its own code a second time for speed takes a third of the work.
 * Source: https://learn.microsoft.com/dotnet/core/runtime-config/compilation
 */
export const shortLived = { DOTNET_TieredCompilation: "0" };

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

/** A start of its own; compiler.ts has the one that stays. */
export async function runBicep(words: readonly string[], cwd: string): Promise<Ran> {
  if (bicep === undefined) throw new Error(without);
  try {
    const env = { ...process.env, ...shortLived };
    return { exitCode: 0, ...(await promisify(execFile)(bicep, words, { cwd, env, maxBuffer: 64 * 1024 * 1024 })) };
  } catch (error) {
    return failed.parse(error);
  }
}

const failed = z
  .object({ code: z.number(), stdout: z.string(), stderr: z.string() })
  .transform(({ code, ...rest }) => ({ exitCode: code, ...rest }));

/** Runs with a copy of infra/, for files of a test's own. */
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

/** JSON text that does not depend on the order of members, which the compiler changes from run to run. */
export function canonical(value: unknown): string {
  const sorted = (_: string, member: unknown): unknown =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member;
  return `${JSON.stringify(value, sorted, 2)}\n`;
}
