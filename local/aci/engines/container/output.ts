import { Duplex, PassThrough } from "node:stream";
import type { RingLog } from "../ringlog.ts";
import type { Api } from "./api.ts";

export interface Output {
  /** Resolves when all that a container wrote is in the log, a second after its end at the latest. */
  readonly drained: () => Promise<void>;
  readonly stop: () => void;
}

/** Takes a container's output into a log. Called before it starts, so that its first line is not missed. */
export async function follow(api: Api, id: string, log: RingLog): Promise<Output> {
  const stream = await api.docker.getContainer(id).attach({ stream: true, stdout: true, stderr: true, hijack: true });
  const sides = { stdout: new PassThrough(), stderr: new PassThrough() };
  for (const [name, side] of Object.entries(sides)) side.on("data", (chunk: Buffer) => log.append(name, chunk));
  api.docker.modem.demuxStream(stream, sides.stdout, sides.stderr);
  const closed = new Promise<void>((resolve) => {
    stream.once("end", resolve);
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
  const stop = (): void => {
    if (stream instanceof Duplex) stream.destroy();
    log.end();
  };
  return {
    async drained() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, 1000).unref());
      await Promise.race([closed, late]);
      // What was taken off the stream is still on its way through the two sides.
      await new Promise(setImmediate);
      stop();
    },
    stop,
  };
}
