import { Misuse, Refused, Unreachable } from "./errors.ts";
import { containersOf, type Status } from "./replies.ts";

/** Exit codes of the command. A container's own exit code may be any of them too: `--json` shows which it is. */
export const exitCodes = {
  done: 0,
  faulty: 1,
  misuse: 2,
  unreachable: 3,
  refused: 4,
  keyRefused: 5,
  failed: 6,
  timedOut: 7,
  stopped: 8,
  canceled: 9,
  interrupted: 130,
} as const;

export const exitCodesHelp = `
Exit codes:
  0    done; of run and wait: the job succeeded
  1-255  of run and wait: the exit code of the container that failed
  1    of validate: the definition is faulty
  2    wrong use of this command, or a file that can't be read
  3    the service can't be reached
  4    the service refused: a faulty definition, a name in use, an unknown job
  5    the service refused the key
  6    the job failed without an exit code of a container
  7    the job timed out
  8    the job was stopped
  9    the job was canceled
  130  interrupted; the job goes on`;

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
      // A process can exit with 1 to 255 only; ACI knows larger ones (7147, Windows' status words).
      return codes.find((code) => typeof code === "number" && code >= 1 && code <= 255) ?? exitCodes.failed;
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
