import { spawn } from "node:child_process";
import { killGroup } from "./pids.ts";
import type { ProcessRecords } from "./pids.ts";

/**
 * What a container's process begins as: it waits for a line on descriptor 3, so that its number is on disk before anything runs, leaves
 * a watcher behind that ends the whole process group when the descriptor closes (when this service dies), and becomes the program.
 */
const SHIM = `IFS= read -r go <&3 || exit 0
( { IFS= read -r go; kill -KILL 0; } <&3 >/dev/null 2>&1 & )
exec 3<&-
exec "$@"`;

/** Starts a program in a process group of its own; it runs only once `go` is called. */
export function spawnContained(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn("/bin/sh", ["-c", SHIM, "aci-container", ...argv], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const [, stdout, stderr, lifeline] = child.stdio;
  if (!stdout || !stderr) throw new Error("A process was started without pipes.");
  // A container that is gone before it was let go closes its end: nothing to do then.
  lifeline?.on("error", () => undefined);
  return {
    child,
    stdout,
    stderr,
    go: (): void => {
      if (lifeline && "write" in lifeline) lifeline.write("go\n");
    },
    release: (): void => {
      lifeline?.destroy();
    },
  };
}

/** Runs a program to its end; its exit code, or `undefined` where it was ended after `timeout` milliseconds. */
export function runToEnd(
  argv: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  timeout: number,
  records: ProcessRecords,
): Promise<number | undefined> {
  const { child, stdout, stderr, go, release } = spawnContained(argv, cwd, env);
  const { pid } = child;
  stdout.resume();
  stderr.resume();
  return new Promise((resolve) => {
    const overdue = setTimeout(() => {
      if (pid !== undefined) killGroup(pid, "SIGKILL");
    }, timeout);
    const end = (exitCode: number | undefined): void => {
      clearTimeout(overdue);
      if (pid !== undefined) {
        killGroup(pid, "SIGKILL");
        records.remove(pid);
      }
      release();
      resolve(exitCode);
    };
    child.once("error", () => end(undefined));
    child.once("exit", (code) => end(code ?? undefined));
    if (pid !== undefined) records.add(pid);
    go();
  });
}
