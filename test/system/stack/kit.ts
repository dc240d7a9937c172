import { fork, type ChildProcess } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isAlive, readRecord } from "../../../local/stack/processes.ts";

/** Names of the processes of a stack that live, in order. */
export async function livingRecords(pidFolder: string): Promise<readonly string[]> {
  const files = await readdir(pidFolder).catch(() => []);
  const names = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const alive = await Promise.all(
    names.map(async (name) => {
      const record = await readRecord(pidFolder, name);
      return record !== undefined && (await isAlive(record)) ? name : undefined;
    }),
  );
  return alive.filter((name) => name !== undefined).sort();
}

/** A real part as a process, without its supervisor. */
export function forkPart(name: "azurite" | "func", options: object, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const program = fileURLToPath(new URL("fixtures/part-of.mjs", import.meta.url));
  const all = { ...process.env, ...env, ACI_PROXY_PART: JSON.stringify(options) };
  return fork(program, [name], { env: all, execArgv: [] });
}
