import { readdir } from "node:fs/promises";
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
