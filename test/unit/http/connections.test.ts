import { get, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { minute } from "../../../src/shared/base/duration.ts";
import { streamOf, watchConnections, type Connection } from "../../../src/http/lib/connections.ts";
import { fakeTimers } from "../../kit/fake-timers.ts";
import { serve } from "../../kit/serve.ts";
import { until } from "../../kit/until.ts";

const connections = watchConnections();

/** Texts without end, and how many of them were made. */
function endless(text: string) {
  const made = { count: 0, ended: false };
  async function* texts(): AsyncGenerator<string> {
    try {
      for (;;) {
        made.count++;
        yield await Promise.resolve(text);
      }
    } finally {
      made.ended = true;
    }
  }
  return { made, texts: texts() };
}

/** A server that sends a stream as the Functions library does, and a caller that reads nothing of it. */
async function unread(texts: AsyncGenerator<string>) {
  let response: ServerResponse | undefined;
  const port = await serve((request, answered) => {
    response = answered;
    const send = async (): Promise<void> => {
      answered.flushHeaders();
      const body = streamOf(texts, connections(String(request.headers["x-ms-invocation-id"])));
      for await (const chunk of body.values()) answered.write(chunk);
      answered.end();
    };
    void send();
  });
  const caller = get({ port, host: "127.0.0.1", headers: { "x-ms-invocation-id": "one" } });
  caller.on("error", () => undefined);
  caller.on("response", (reply) => reply.pause());
  const answered = await until("the reply", () => response);
  return { caller, answered };
}

describe("a reply that is made as it is read", () => {
  afterEach(() => void vi.useRealTimers());

  it("is made no faster than its caller reads, and no more of it once the caller has gone", async () => {
    const { made, texts } = endless("x".repeat(1024 * 1024));
    const { caller, answered } = await unread(texts);
    await until("a caller that reads no more", () => (answered.writableNeedDrain ? true : undefined));
    const before = made.count;
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => void setImmediate(resolve));
    expect(made.count - before).toBeLessThan(5);
    expect(answered.writableLength).toBeLessThan(8 * 1024 * 1024);
    expect(answered.listenerCount("close")).toBeLessThan(10);
    caller.destroy();
    await until("the end of the texts", () => (made.ended ? true : undefined));
  });

  it("breaks off where the caller takes longer than the platform allows", async () => {
    await fakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { made, texts } = endless("x");
    let isCut = false;
    let isSlow = false;
    const connection: Connection = {
      gone: () => false,
      drained: () => (isSlow ? new Promise(() => undefined) : Promise.resolve()),
      cut: () => (isCut = true),
    };
    const reader = streamOf(texts, connection).getReader();
    expect((await reader.read()).done).toBe(false);
    isSlow = true;
    const next = reader.read();
    const outcome = next.then(
      () => "read",
      () => "broken off",
    );
    await vi.advanceTimersByTimeAsync(5 * minute);
    expect(await outcome).toBe("broken off");
    expect(isCut).toBe(true);
    await vi.waitFor(() => expect(made.ended).toBe(true));
  });

  it("has no empty chunk, behind which a stream would be asked for no other", async () => {
    async function* texts(): AsyncGenerator<string> {
      yield* await Promise.resolve(["", "", "a", "", "b", ""]);
    }
    const parts: string[] = [];
    const connection: Connection = { gone: () => false, drained: () => Promise.resolve(), cut: () => undefined };
    for await (const part of streamOf(texts(), connection)) parts.push(Buffer.from(part).toString());
    expect(parts).toEqual(["a", "b"]);
  });
});
