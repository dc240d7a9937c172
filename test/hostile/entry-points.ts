/** The app's two ways in, HTTP and queue, on real storage, with a watch on what each call costs. */
import functions from "@azure/functions"; // its names are not seen by Node when it is imported as it is
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trigger } from "../../src/http/trigger.ts";
import { makeDeps } from "../../src/shared/deps.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { startAzurite } from "../kit/azurite.ts";
import { settings } from "../kit/kit.ts";

/** No input may keep a worker busy for longer, in milliseconds: a worker has one event loop, and all callers share it. */
export const longest = 250;

export interface Cost {
  /** What the worker was kept busy for, at most: a busy machine stretches the clock's time, helper threads the CPU's. */
  readonly milliseconds: number;
  readonly status: number;
}

export interface EntryPoints {
  /** @throws Error that says what was wrong: a 5xx, a reply that shows a stack */
  post(body: string, query?: string): Promise<Cost>;
  /** @throws what the handler throws: that message would come again and again */
  deliver(message: string): Promise<Cost>;
  stop(): Promise<void>;
}

export async function openEntryPoints(): Promise<EntryPoints> {
  const folder = mkdtempSync(join(tmpdir(), "entry-points-"));
  const azurite = await startAzurite();
  const deps = makeDeps({
    settings: settings({
      AzureWebJobsStorage: azurite.connectionString,
      SEAL_KEY_FILE: join(folder, "seal.key"),
      VAULT_URL: "https://vault.example",
    }),
    log: () => undefined,
  });
  await deps.control.installation();
  // Accepted jobs wait: what happens to them then is not what is tried here.
  await deps.control.pause("trying the front door", deps.now());
  const http = trigger(deps);
  const queue = provisioner(deps);
  let delivered = 0;
  return {
    async post(body, query = "dryRun=true") {
      const request = new functions.HttpRequest({
        method: "POST",
        url: "http://localhost/api/trigger",
        query: Object.fromEntries(new URLSearchParams(query)),
        body: { string: body },
      });
      const since = stopwatch();
      const reply = await http(request, new functions.InvocationContext());
      const milliseconds = since();
      const status = reply.status ?? 200;
      if (status >= 500) throw new Error(`answered ${status}`);
      if (typeof reply.body === "string" && /\n\s+at \S+ \(/.test(reply.body)) throw new Error("showed a stack");
      return { milliseconds, status };
    },
    async deliver(message) {
      const id = `message-${++delivered}`;
      const context = new functions.InvocationContext({
        triggerMetadata: { id, insertionTime: new Date(), dequeueCount: 1 },
      });
      const since = stopwatch();
      await queue(asTriggered(message), context);
      return { milliseconds: since(), status: 200 };
    },
    async stop() {
      await azurite.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The host hands JSON over parsed. */
function asTriggered(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return message;
  }
}

function stopwatch(): () => number {
  const [clock, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(performance.now() - clock, (user + system) / 1000);
  };
}

/** The least of a few tries: a garbage collection may fall into one, a hostile input costs the same each time. */
export async function leastCost(call: () => Promise<Cost>): Promise<Cost> {
  let least = await call();
  for (let tries = 1; tries < 4 && least.milliseconds >= longest; tries++) {
    const again = await call();
    if (again.milliseconds < least.milliseconds) least = again;
  }
  return least;
}

/** Whether anything was put on what all objects share. */
export function polluted(): boolean {
  const fresh: Record<string, unknown> = {};
  return "polluted" in fresh || Object.keys(Object.prototype).length > 0 || Object.keys(Array.prototype).length > 0;
}
