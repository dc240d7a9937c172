import { z } from "zod";

/**
 * The protocol between the local stack's supervisor and the processes it starts (host, ACI, Azurite).
 *
 * A part is a Node program forked with an IPC channel. It gets its options as JSON in `ACI_PROXY_PART`, says once that it is
 * ready (or why it can't be), and stops itself on SIGTERM, SIGINT or when the channel closes. The last is what makes a SIGKILL of
 * the supervisor leave nothing behind: the kernel closes the channel, whatever else was prevented.
 */
export interface Running {
  /** Base address, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** What a part says: once when it serves or can't, and once more when it crashes. */
export const partMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), url: z.string() }),
  z.object({ type: z.literal("failed"), code: z.string(), message: z.string() }),
]);
export type PartMessage = z.infer<typeof partMessage>;

/** Runs a part's `start` under the protocol. Never returns: the process ends when the part is stopped. */
export async function servePart(start: (options: unknown) => Promise<Running>): Promise<void> {
  let running: Running | undefined;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void (running?.stop() ?? Promise.resolve()).finally(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
  // Its log may be what can't be written.
  process.on("uncaughtExceptionMonitor", (error) => send(failed(error)));
  try {
    running = await start(JSON.parse(process.env["ACI_PROXY_PART"] ?? "{}"));
    send({ type: "ready", url: running.url });
  } catch (error) {
    send(failed(error));
    process.exit(1);
  }
}

function failed(error: unknown): PartMessage {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "StartFailed";
  return { type: "failed", code, message: error instanceof Error ? error.message : String(error) };
}

function send(message: PartMessage): void {
  if (process.send) process.send(message);
  else process.stdout.write(`${JSON.stringify(message)}\n`);
}
