/**
 * Keeps a host running. The real host restarts its worker process when a function exceeds `functionTimeout`, and so ends whatever
 * runs there. This host lives in a thread, which is ended and begun anew likewise.
 */
import { SHARE_ENV, Worker } from "node:worker_threads";
import { z } from "zod";
import type { Running } from "../part.ts";
import type { ParsedHostOptions } from "./options.ts";

/** What the thread says. */
const threadMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), url: z.string(), port: z.number() }),
  z.object({ type: z.literal("failed"), code: z.string(), message: z.string() }),
  /** A function exceeded its timeout. What could be answered and settled is. */
  z.object({ type: z.literal("restart") }),
  z.object({ type: z.literal("stopped") }),
]);
export type ThreadMessage = z.infer<typeof threadMessage>;

const PROGRAM = new URL("./host-thread.mjs", import.meta.url);

/** @throws {Error} with the host's `code` where it can't start. */
export async function keepHost(options: ParsedHostOptions): Promise<Running> {
  let stopping = false;
  const first = await begin(options);
  // Whoever knows the port finds the next process there too.
  const again = { ...options, port: first.port };
  let life = Promise.resolve(first);

  const keep = (current: Life): void => {
    void current.outlived.then(() => {
      if (stopping) return;
      life = begin(again);
      // A host that can't begin again ends the process, as any uncaught error does.
      void life.then(keep);
    });
  };
  keep(first);
  return {
    url: first.url,
    async stop() {
      stopping = true;
      await (await life).stop();
    },
  };
}

/** One thread, from its start to its end. */
interface Life {
  readonly url: string;
  readonly port: number;
  /** Resolves once it has been ended because a function exceeded its timeout. */
  readonly outlived: Promise<void>;
  /** Lets the host end its work; resolves when it has. */
  stop(): Promise<void>;
}

async function begin(options: ParsedHostOptions): Promise<Life> {
  const worker = new Worker(PROGRAM, { workerData: options, env: SHARE_ENV });
  let ended = false;
  worker.once("exit", (code) => {
    if (!ended) process.exit(code); // the app ended its process
  });
  const said = <Type extends ThreadMessage["type"]>(type: Type): Promise<Extract<ThreadMessage, { type: Type }>> =>
    new Promise((resolve) => {
      const hear = (given: unknown): void => {
        const message = threadMessage.parse(given);
        if (!isOf(message, type)) return;
        worker.off("message", hear);
        resolve(message);
      };
      worker.on("message", hear);
    });
  const end = async (): Promise<void> => {
    ended = true;
    await worker.terminate();
  };

  const outlived = said("restart").then(end);
  const start = await Promise.race([said("ready"), said("failed")]);
  if (start.type === "failed") {
    await end();
    throw Object.assign(new Error(start.message), { code: start.code });
  }
  return {
    url: start.url,
    port: start.port,
    outlived,
    async stop() {
      const stopped = said("stopped");
      worker.postMessage("stop");
      await Promise.race([stopped, outlived]);
      await end();
    },
  };
}

const isOf = <Type extends ThreadMessage["type"]>(
  message: ThreadMessage,
  type: Type,
): message is Extract<ThreadMessage, { type: Type }> => message.type === type;
