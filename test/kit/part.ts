/** The local stack's programs as processes of a test's own, without a supervisor. They run as they were built. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { partMessage } from "../../local/part.ts";
import { builtPrograms } from "../../local/stack/stack.ts";

export const programs = builtPrograms(new URL("../../dist-local/", import.meta.url));

type PartName = "azurite" | "aci" | "host" | "func";

interface How {
  /** Beyond this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Imported before the program. */
  readonly first?: string | undefined;
  /** Gets what it writes; else its errors are seen among the tests' own output. */
  readonly write?: (chunk: Buffer) => void;
}

/**
 * To be imported before a program: its time runs this many times as fast, from now on.
 *
 * @param ahead milliseconds that its clock is ahead
 */
export const fastClock = (factor: number, ahead = 0, epoch = Date.now()): string =>
  `${new URL("fast-clock.mjs", import.meta.url).href}?factor=${factor}&epoch=${epoch}&ahead=${ahead}`;

export function forkPart(name: PartName, options: object, { env = {}, first, write }: How = {}): ChildProcess {
  const child = fork(programs[name], {
    execArgv: first === undefined ? [] : ["--import", first],
    env: { ...process.env, ...env, ACI_PROXY_PART: JSON.stringify(options) },
    stdio: write === undefined ? ["ignore", "ignore", "inherit", "ipc"] : ["ignore", "pipe", "pipe", "ipc"],
  });
  if (write) for (const stream of [child.stdout, child.stderr]) stream?.on("data", write);
  return child;
}

export interface Part {
  readonly child: ChildProcess;
  readonly url: string;
  /** Ends it with that signal and resolves when it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** @throws {Error} with the part's `code` when it says that it can't start. */
export async function startPart(name: PartName, options: object, how?: How): Promise<Part> {
  const child = forkPart(name, options, how);
  const answer: unknown[] = await Promise.race([once(child, "message"), once(child, "exit")]);
  const told = partMessage.parse(answer[0]);
  if (told.type === "failed") throw Object.assign(new Error(told.message), { code: told.code });
  return {
    child,
    url: told.url,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
  };
}
