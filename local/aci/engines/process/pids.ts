import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Which process groups this service started, on disk: what a service that was killed could not end itself, its successor does.
 * A process is known by its number and its start time, so that a number used anew is never taken for it.
 */
export class ProcessRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  add(pid: number): void {
    writeFileSync(join(this.#folder, String(pid)), startOf(pid) ?? "", { mode: 0o600 });
  }

  remove(pid: number): void {
    rmSync(join(this.#folder, String(pid)), { force: true });
  }

  /** Ends every recorded process group whose leader is still the process that was recorded. */
  killLeftovers(): void {
    for (const name of readdirSync(this.#folder)) {
      const pid = Number(name);
      const started = readFileSync(join(this.#folder, name), "utf8");
      if (started !== "" && startOf(pid) === started) killGroup(pid, "SIGKILL");
      this.remove(pid);
    }
  }
}

/** Sends a signal to a whole process group; one that is gone already is no fault. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** When a process started, by the system's own clock; `undefined` if there is no such process. */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    }
    // Field 22, counted after the command's name, which is in parentheses and may hold blanks (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
