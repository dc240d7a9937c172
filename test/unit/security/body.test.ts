import { HttpRequest } from "@azure/functions";
import { expect, onTestFinished, test, vi } from "vitest";
import { readText } from "../../../src/http/lib/body.ts";
import { fakeTimers } from "../../kit/fake-timers.ts";

const post = (body: string | Uint8Array, headers: Record<string, string> = {}): HttpRequest =>
  new HttpRequest({
    method: "POST",
    url: "http://localhost/",
    headers,
    body: typeof body === "string" ? { string: body } : { bytes: body },
  });

/** A request whose body goes on for ever, as with the host's HTTP streaming; it counts what was taken of it. */
function endless(): { request: HttpRequest; taken: () => number; canceled: () => boolean } {
  let [taken, canceled] = [0, false];
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 1000;
      controller.enqueue(new Uint8Array(1000).fill(97));
    },
    cancel() {
      canceled = true;
    },
  });
  const request = post("");
  Object.defineProperty(request, "body", { value: stream });
  return { request, taken: () => taken, canceled: () => canceled };
}

test("a body is read as it is, up to the last byte that may be there", async () => {
  expect(await readText(post("é".repeat(50)), 100)).toEqual({ ok: true, value: "é".repeat(50) });
  expect(await readText(post("a".repeat(101)), 100)).toEqual({ ok: false, error: "too large" });
  expect(await readText(post(""), 100)).toEqual({ ok: true, value: "" });
});

test("of a body that says that it is too large nothing is read", async () => {
  const { request, taken } = endless();
  request.headers.set("content-length", "101");
  expect(await readText(request, 100)).toEqual({ ok: false, error: "too large" });
  expect(taken()).toBeLessThanOrEqual(1000); // what a stream has ready before anybody asks
});

test("of a body that never ends no more is read than may be there", async () => {
  const { request, taken, canceled } = endless();
  expect(await readText(request, 10_000)).toEqual({ ok: false, error: "too large" });
  expect(taken()).toBeLessThan(15_000);
  expect(canceled()).toBe(true);
});

test("what is not UTF-8 is refused with its place", async () => {
  expect(await readText(post(Uint8Array.of(0x61, 0x0a, 0xff)), 100)).toMatchObject({
    ok: false,
    error: { line: 2, column: 1 },
  });
});

test.each([
  ["whose length is not known", {}],
  ["whose length is known", { "content-length": "100" }],
])("a body that drips, %s, is given up after 30 seconds", async (_, headers: Record<string, string>) => {
  await fakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let canceled = false;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      controller.enqueue(Uint8Array.of(97));
    },
    cancel() {
      canceled = true;
    },
  });
  const request = post("", headers);
  Object.defineProperty(request, "body", { value: stream });
  Object.defineProperty(request, "arrayBuffer", { value: () => new Response(stream).arrayBuffer() });
  const read = readText(request, 1000);
  let done = false;
  void read.then(() => (done = true));
  await vi.advanceTimersByTimeAsync(29_000);
  expect(done).toBe(false);
  await vi.advanceTimersByTimeAsync(1500);
  expect(await read).toEqual({ ok: false, error: "too slow" });
  // That would end the connection before the reply is sent.
  expect(canceled).toBe(false);
});
