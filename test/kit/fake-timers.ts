import { request } from "undici";
import { vi } from "vitest";
import { startReceiver } from "./receiver.ts";

/**
 * As vi.useFakeTimers. Both HTTP clients of a process, Node's own and undici's, keep one timer for all their timeouts, and make it
 * with their first request: a faked one never fires again, in any file of this worker. So each makes a request first.
 */
export async function fakeTimers(options?: Parameters<typeof vi.useFakeTimers>[0]): Promise<void> {
  const receiver = await startReceiver();
  const post = { method: "POST", body: "{}" };
  await (await fetch(receiver.url, post)).arrayBuffer();
  await (await request(receiver.url, post)).body.dump();
  await receiver.stop();
  vi.useFakeTimers(options);
}
