import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { ServerResponse } from "node:http";
import { ReadableStream } from "node:stream/web";
import { z } from "zod";
import { Deadline } from "../../shared/base/deadline.ts";
import { minute, second } from "../../shared/base/duration.ts";

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
  /** Breaks the connection off. */
  cut(): void;
}

export type Connections = (invocationId: string) => Connection;

const started = z.object({
  request: z.object({ headers: z.looseObject({ "x-ms-invocation-id": z.string() }) }),
  response: z.instanceof(ServerResponse),
});

/** Where nothing is known of the caller. */
const unknown: Connection = { gone: () => false, drained: () => Promise.resolve(), cut: () => undefined };

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
    const either = new AbortController();
    const { signal } = either;
    await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]).finally(() =>
      either.abort(),
    );
  }

  cut(): void {
    if (!this.gone()) this.#response?.destroy();
  }
}

export const noConnections: Connections = () => unknown;

/** A caller that reads too slowly for that is left: past `functionTimeout` the platform ends the worker, and all its other calls. */
const longestReply = 4 * minute + 30 * second;

/**
 * A reply's body that is made as it is read. Nothing more is made once its reader is gone, and after 4.5 minutes it breaks off, so that
 * nobody takes a part for the whole.
 */
export function streamOf(texts: AsyncGenerator<string>, connection: Connection): ReadableStream<Uint8Array> {
  const deadline = Deadline.in(() => performance.now(), longestReply);
  const close = (): void => void texts.return(undefined).catch(() => undefined);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await deadline.limit(nextOf(texts, connection));
        if (next === "late") {
          connection.cut();
          close();
          throw new Error("The caller read the reply too slowly.");
        }
        if (next === undefined) controller.close();
        else controller.enqueue(next);
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

/** No chunk is empty: a stream that gave one would not be asked for the next. */
async function nextOf(texts: AsyncGenerator<string>, connection: Connection): Promise<Uint8Array | undefined> {
  for (;;) {
    await connection.drained();
    const next = connection.gone() ? await texts.return(undefined) : await texts.next();
    if (next.done) return undefined;
    if (next.value !== "") return Buffer.from(next.value);
  }
}
