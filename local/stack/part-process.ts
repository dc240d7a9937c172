import { fork, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { partMessage, type PartMessage } from "../part.ts";
import { removeRecord, signal, writeRecord } from "./processes.ts";

/** How one part of the stack is started (see ../part.ts for the protocol). */
export interface PartSpec {
  readonly name: string;
  /** A Node program that speaks the part protocol. */
  readonly program: string;
  readonly options: unknown;
}

/** Where the parts of one stack leave their traces. */
export interface PartLocation {
  readonly pidFolder: string;
  readonly logFile: (name: string) => string;
  /** Output goes to this process's stderr and to no file. */
  readonly verbose: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** A part that could not start, or that ended though nobody asked it to. `code` is `EADDRINUSE` for a port taken. */
export class PartFailed extends Error {
  override readonly name = "PartFailed";
  readonly part: string;
  readonly code: string;
  /** The end of its log, a line each; empty with `--verbose`, where the terminal has it. */
  readonly lastLines: readonly string[];

  constructor(part: string, code: string, message: string, lastLines: readonly string[]) {
    super(`${part} ${message}`);
    this.part = part;
    this.code = code;
    this.lastLines = lastLines;
  }
}

/** Milliseconds: a start that takes longer than this hangs; a stop that does is cut short. */
const startLimit = 60_000;
const stopLimit = 15_000;

/** A part as a running process. Made by {@link launch}. */
export interface PartProcess {
  /** The part's address, once it serves. Rejects with {@link PartFailed}. */
  readonly ready: Promise<string>;
  /** Settles when the process has ended, with what to say about an end that nobody asked for. */
  readonly ended: Promise<PartFailed>;
  /** Asks it to stop, insists after a while, and settles when the process has ended. */
  stop(): Promise<void>;
}

export function launch(spec: PartSpec, place: PartLocation): PartProcess {
  const { name } = spec;
  const log = place.verbose ? undefined : openLog(place.logFile(name));
  const output = log ?? 2;
  const child = fork(spec.program, [], {
    // Its own process group: Ctrl-C in the terminal must reach the supervisor alone, which stops the parts in their order.
    detached: true,
    stdio: ["ignore", output, output, "ipc"],
    env: { ...place.env, ACI_PROXY_PART: JSON.stringify(spec.options) },
    execArgv: [],
  });
  if (log !== undefined) closeSync(log);
  const lastLines = (): readonly string[] => (place.verbose ? [] : tail(place.logFile(name)));
  const recorded = child.pid === undefined ? Promise.resolve() : writeRecord(place.pidFolder, name, child.pid);
  recorded.catch(() => undefined); // `ready` rejects with it, later
  let crashed: string | undefined;
  child.on("message", (value: unknown) => {
    const parsed = partMessage.safeParse(value);
    if (parsed.success && parsed.data.type === "failed") crashed = parsed.data.message;
  });

  const ended = new Promise<PartFailed>((resolve) => {
    const finish = (how: string): void => {
      // What it started itself in its group has lost its owner; the group's number can't be anyone else's while it has members.
      if (child.pid !== undefined) signal(-child.pid, "SIGKILL");
      const why = crashed === undefined ? how : `${how}: ${crashed}`;
      const failure = new PartFailed(name, "Ended", `stopped unexpectedly (${why})`, lastLines());
      void recorded
        .then(() => removeRecord(place.pidFolder, name))
        .catch(() => undefined) // one that stays is removed by the next start
        .then(() => resolve(failure));
    };
    child.once("close", (code, by) => finish(by === null ? `exit code ${String(code)}` : by));
    child.once("error", (error) => finish(error.message));
  });

  return { ready: readiness(child, name, recorded, ended, lastLines), ended, stop: stopper(child, ended) };
}

async function readiness(
  child: ChildProcess,
  name: string,
  recorded: Promise<void>,
  ended: Promise<PartFailed>,
  lastLines: () => readonly string[],
): Promise<string> {
  const told = new Promise<PartMessage>((resolve) => {
    const hear = (value: unknown): void => {
      const parsed = partMessage.safeParse(value);
      if (!parsed.success) return; // a part may say more than this version of the supervisor knows
      child.off("message", hear);
      resolve(parsed.data);
    };
    child.on("message", hear);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PartFailed(name, "StartTimeout", `did not start within ${startLimit / 1000} s`, lastLines()));
    }, startLimit);
  });
  try {
    const first = await Promise.race([told, ended, late]);
    if (first instanceof PartFailed) throw first;
    await recorded; // or the next start would not find it, were we killed now
    if (first.type === "ready") return first.url;
    throw new PartFailed(name, first.code, `could not start: ${first.message}`, lastLines());
  } finally {
    clearTimeout(timer);
  }
}

function stopper(child: ChildProcess, ended: Promise<PartFailed>): PartProcess["stop"] {
  return async () => {
    const { pid } = child;
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) {
      signal(pid, "SIGTERM");
      const timer = setTimeout(() => signal(pid, "SIGKILL"), stopLimit);
      await ended;
      clearTimeout(timer);
    }
    await ended;
  };
}

/** A new log for this start; the one before it stays as `NAME.log.1`. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) renameSync(file, `${file}.1`);
  return openSync(file, "w");
}

function tail(file: string, count = 10): readonly string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").slice(-count);
}
