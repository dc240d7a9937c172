import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { second } from "../../../../src/shared/base/duration.ts";
import { terminalStates } from "../../../../src/shared/job/job.ts";
import type { World } from "../world.ts";

/** How a poll ended: with its job, or by an answer that Data Factory would take for the end. */
export type Poll = { readonly kind: "ended" } | { readonly kind: "broken"; readonly why: string };

const ended = z.object({ state: z.enum(terminalStates) });

/** Polls as a Web activity does, from one host and the other; a host that is not there is no answer. */
export async function follow(world: World, id: string, enough: number): Promise<Poll> {
  const deadline = performance.now() + world.ours(enough);
  for (let n = 0; performance.now() < deadline; n++) {
    await delay(world.ours(8 * second));
    const url = world.urls[n % world.urls.length] ?? world.url;
    const init = { headers: { "x-functions-key": "local" }, signal: AbortSignal.timeout(world.ours(60 * second)) };
    const reply = await fetch(`${url}/api/status/${id}?poll=1`, init)
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined);
    if (reply === undefined || reply.status === 202) continue;
    const isEnd = ended.safeParse(read(reply.text)).success;
    return isEnd ? { kind: "ended" } : { kind: "broken", why: `${reply.status} ${reply.text.slice(0, 300)}` };
  }
  return { kind: "broken", why: "it had no end" };
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
