import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { partMessage } from "../local/part.ts";

/** A part of the local stack (see ../local/part.ts for the protocol), measured as a process of its own. */
export interface Part {
  readonly url: string;
  readonly pid: number;
  /** Asks it to stop; settles when it has ended. */
  stop(): Promise<void>;
}

/**
 * @param program a part as JavaScript, or as TypeScript with `--import tsx` among the flags
 * @param logFile gets all output, as in the real stack
 */
export async function startPart(
  program: URL,
  options: object,
  logFile: string,
  flags: readonly string[] = [],
): Promise<Part> {
  const log = openSync(logFile, "w");
  const child = fork(program, {
    stdio: ["ignore", log, log, "ipc"],
    env: { ...process.env, ACI_PROXY_PART: JSON.stringify(options) },
    execArgv: [...flags],
  });
  closeSync(log);
  const ended = once(child, "exit");
  const first: unknown[] = await Promise.race([once(child, "message"), ended]);
  const said = partMessage.safeParse(first[0]);
  if (!said.success) throw new Error(`${program.pathname} ended before it served:\n${readFileSync(logFile, "utf8")}`);
  if (said.data.type === "failed") throw new Error(`${program.pathname} could not start: ${said.data.message}`);
  return {
    url: said.data.url,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
