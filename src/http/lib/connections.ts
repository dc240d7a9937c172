import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { ServerResponse } from "node:http";
import { ReadableStream } from "node:stream/web";
import { z } from "zod";

/**
 * Whether the caller of a streamed reply is still there. The Functions library reads a reply's stream to its end whatever happens to
 * the caller, never cancels it, and ignores that a caller reads slowly. But its server is Node's, which publishes each
 * request on a diagnostics channel; the invocation's id is in a header.
 */
export interface Connection {
  /** True when nobody reads the reply any more. */
  gone(): boolean;
  /** Resolves when the caller has taken what was sent, or is gone. */
  drained(): Promise<void>;
}

export type Connections = (invocationId: string) => Connection;

const started = z.object({
  request: z.object({ headers: z.looseObject({ "x-ms-invocation-id": z.string() }) }),
  response: z.instanceof(ServerResponse),
});

/** Where nothing is known of the caller. */
const unknown: Connection = { gone: () => false, drained: () => Promise.resolve() };

/** To be called once, before the first request. */
export function watchConnections(): Connections {
  const open = new Map<string, ServerResponse>();
  subscribe("http.server.request.start", (message) => {
    const read = started.safeParse(message);
    if (!read.success) return;
    const { request, response } = read.data;
    const id = request.headers["x-ms-invocation-id"];
    open.set(id, response);
    response.once("close", () => open.delete(id));
  });
  return (id) => new Watched(() => open.get(id));
}

class Watched implements Connection {
  readonly #find: () => ServerResponse | undefined;
  #response: ServerResponse | undefined;

  constructor(find: () => ServerResponse | undefined) {
    this.#find = find;
  }

  gone(): boolean {
    // The host may hand over the connection only when the reply begins.
    this.#response ??= this.#find();
    return this.#response?.destroyed ?? false;
  }

  async drained(): Promise<void> {
    const response = this.gone() ? undefined : this.#response;
    if (response?.writableNeedDrain !== true) return;
    await Promise.race([once(response, "drain"), once(response, "close")]);
  }
}

export const noConnections: Connections = () => unknown;

/** A reply's body that is made as it is read. Nothing more is made once its reader is gone. */
export function streamOf(texts: AsyncGenerator<string>, connection: Connection): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await connection.drained();
        const next = connection.gone() ? await texts.return(undefined) : await texts.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      async cancel() {
        await texts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
