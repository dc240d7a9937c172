/** One life of the host, in a thread of its own: what runs in it can be ended from outside (keeper.ts). */
import { parentPort, workerData } from "node:worker_threads";
import { startHost } from "./host.ts";
import type { ThreadMessage } from "./keeper.ts";
import { HostOptionsSchema } from "./options.ts";

const port = parentPort;
if (port === null) throw new Error("The host's thread has no keeper.");
const say = (message: ThreadMessage): void => port.postMessage(message);

try {
  const host = await startHost(HostOptionsSchema.parse(workerData), undefined, () => say({ type: "restart" }));
  port.on("message", () => {
    void host
      .stop()
      .then(() => written())
      .then(() => say({ type: "stopped" }));
  });
  say({ type: "ready", url: host.url, port: host.port });
} catch (error) {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "StartFailed";
  say({ type: "failed", code, message: error instanceof Error ? error.message : String(error) });
}

/** A thread's output goes through the main one: it is out when that has taken it. */
function written(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write("", () => resolve());
  });
}
