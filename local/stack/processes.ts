import { execFile } from "node:child_process";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";

/**
 * Which processes belong to a stack, written down so that the next start can end what a SIGKILL left behind.
 *
 * A pid alone proves nothing, for the system gives it to another process later; together with the time that the process
 * started it does. One file for each process: whoever starts one writes it, and removes it when the process has ended.
 */
const record = z.object({ pid: z.number().int().positive(), started: z.string().min(1) });
export type ProcessRecord = z.infer<typeof record>;

/**
 * What distinguishes a process from a later one with the same pid; `undefined` when there is no such process. A zombie does not count, but for
 * one whose other threads are still ending: until the last of them has, its ports are taken.
 */
export async function startedAt(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    try {
      const [stat, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, "utf8"),
        readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      ]);
      // proc(5): the second field is the program's name in brackets and may hold anything, so count from its end.
      const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ended = state === "X" || (state === "Z" && (await readdir(`/proc/${pid}/task`)).length <= 1);
      return ended ? undefined : `${boot.trim()}/${fields[18] ?? ""}`;
    } catch {
      return undefined; // gone, or not ours to see
    }
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    return undefined; // ps exits with 1 when there is no such process
  }
}

export async function isAlive({ pid, started }: ProcessRecord): Promise<boolean> {
  return (await startedAt(pid)) === started;
}

export async function writeRecord(folder: string, name: string, pid: number): Promise<void> {
  const started = await startedAt(pid);
  if (started === undefined) return; // ended already
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ pid, started }));
}

/**
 * Writes this process's record under a name that only one living process can have.
 *
 * @returns the pid of the process that has it, or `undefined` when it is ours now
 */
export async function claim(folder: string, name: string): Promise<number | undefined> {
  const started = await startedAt(process.pid);
  const draft = join(folder, `.${name}.${process.pid}`);
  await mkdir(folder, { recursive: true });
  await writeFile(draft, JSON.stringify({ pid: process.pid, started }));
  try {
    for (;;) {
      try {
        await link(draft, join(folder, `${name}.json`)); // fails when it exists, and is never seen half written
        return undefined;
      } catch (error) {
        if (!isExists(error)) throw error;
      }
      const holder = await readRecord(folder, name);
      if (holder !== undefined && (await isAlive(holder))) return holder.pid;
      await removeRecord(folder, name);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

function isExists(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

export async function removeRecord(folder: string, name: string): Promise<void> {
  await rm(join(folder, `${name}.json`), { force: true });
}

/** The record of that name, or `undefined` when it is missing or can't be read. */
export async function readRecord(folder: string, name: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(join(folder, `${name}.json`), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return undefined; // cut short by a crash: whoever wrote it had only just started
  }
}

/**
 * Ends every recorded process that still lives, and forgets the rest. It gets a SIGTERM first, since it may be saving data.
 *
 * @param options `grace`: milliseconds before the SIGKILL; `except`: a name to pass over
 * @returns names of the processes that were ended
 */
export async function endLeftovers(
  folder: string,
  { grace = 5000, except }: { grace?: number; except?: string } = {},
): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  const ended = await Promise.all(
    files
      .filter((file) => file.endsWith(".json") && file !== `${except ?? ""}.json`)
      .map(async (file) => {
        const name = file.slice(0, -".json".length);
        const found = await readRecord(folder, name);
        const lived = found !== undefined && (await isAlive(found));
        if (lived) await end(found, grace);
        await removeRecord(folder, name);
        return lived ? name : undefined;
      }),
  );
  return ended.filter((name) => name !== undefined);
}

async function end(found: ProcessRecord, grace: number): Promise<void> {
  signal(found.pid, "SIGTERM");
  const killAt = performance.now() + grace;
  while (await isAlive(found)) {
    if (performance.now() >= killAt) signal(found.pid, "SIGKILL");
    await delay(20);
  }
}

/** Sends a signal; one that comes too late is no error. A negative pid means its process group, as in kill(2). */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
