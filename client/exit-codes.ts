import type { Status } from "./api.ts";
import { Misuse, Refused, Unreachable } from "./errors.ts";
import { containersOf } from "./status.ts";

/** Exit codes of the command. Those from 200 on are its own; `run` and `wait` give a container's own from 0 to 199. */
export const exitCodes = {
  done: 0,
  /** A container's exit code from 200 on. */
  largeExitCode: 199,
  unwell: 200,
  faulty: 201,
  misuse: 202,
  unreachable: 203,
  refused: 204,
  keyRefused: 205,
  failed: 206,
  timedOut: 207,
  stopped: 208,
  canceled: 209,
  interrupted: 210,
  broken: 211,
} as const;

export const exitCodesHelp = `
Exit codes:
  0      done; of run, wait and status --watch: the job succeeded
  1-198  of these three: the exit code of the container that failed
  199    of these three: that exit code is 199 or larger; it is printed
  200    of health: the service, or what it hangs on, does not work
  201    of validate: the definition is faulty
  202    wrong use of this command, or a file that can't be read
  203    the service can't be reached
  204    the service refused: a faulty definition, a name in use, an unknown job
  205    the service refused the key or token
  206    the job failed without an exit code of a container, or the array failed
  207    the job timed out
  208    the job was stopped
  209    the job was canceled
  210    interrupted, nobody reads the output, or a stream ended before the job; the
         job itself is left alone
  211    the output can't be written, or this command is broken; the job itself is
         left alone`;

/** What `run` and `wait` exit with once the job has ended. */
export function exitCodeOfJob(status: Status): number {
  switch (status.state) {
    case "Succeeded":
      return exitCodes.done;
    case "TimedOut":
      return exitCodes.timedOut;
    case "Stopped":
      return exitCodes.stopped;
    case "Canceled":
      return exitCodes.canceled;
    default: {
      const codes = [status.exitCode, ...containersOf(status).map(([, { exit_code }]) => exit_code)];
      const code = codes.find((each) => typeof each === "number" && each !== 0);
      if (typeof code !== "number") return exitCodes.failed;
      // Windows' status words are negative.
      return code > 0 && code < exitCodes.largeExitCode ? code : exitCodes.largeExitCode;
    }
  }
}

/** What an error makes the command exit with; `undefined` for one that is a fault of this program. */
export function exitCodeOfError(error: unknown): number | undefined {
  if (error instanceof Misuse) return exitCodes.misuse;
  if (error instanceof Unreachable) return exitCodes.unreachable;
  if (error instanceof Refused) {
    return error.status === 401 || error.status === 403 ? exitCodes.keyRefused : exitCodes.refused;
  }
  return undefined;
}
