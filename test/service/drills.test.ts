/** The control endpoint of the local stack: what it switches, and whom it answers. */
import { request } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { QueueServiceClient } from "@azure/storage-queue";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { startAci, type RunningAci } from "../../local/aci/aci.ts";
import { startControl } from "../../local/drills/control.ts";
import { drillNames } from "../../local/drills/drills.ts";
import { freePorts } from "../../local/stack/ports.ts";
import { startAzurite } from "../kit/azurite.ts";

interface Control {
  readonly port: number;
  readonly vaultPort: number;
  readonly aci: RunningAci;
}

async function control(storage?: {
  connectionString: string;
  ports: Readonly<Record<"blob" | "queue" | "table", number>>;
}): Promise<Control> {
  const aci = await startAci({ engine: "simulated", control: true, limits: false });
  const [port = 0, vaultPort = 0, blob = 0, queue = 0, table = 0] = await freePorts(5);
  const folder = await mkdtemp(join(tmpdir(), "drills-"));
  const running = await startControl({
    port,
    aci: aci.url,
    vault: { port: vaultPort, folder, serves: ["vault"] },
    ...(storage === undefined
      ? {}
      : {
          storage: {
            connectionString: storage.connectionString,
            blob: { port: blob, target: storage.ports.blob },
            queue: { port: queue, target: storage.ports.queue },
            table: { port: table, target: storage.ports.table },
          },
        }),
  });
  onTestFinished(async () => {
    await running.stop();
    await aci.stop();
    await rm(folder, { recursive: true });
  });
  return { port, vaultPort, aci };
}

async function ask(
  { port }: Control,
  method: string,
  path: string,
  host = "localhost",
): Promise<{ status: number; body: string }> {
  const sent = request({ port, method, path, headers: { host: `${host}:${port}` } });
  return new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (answer) => {
      void text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    });
    sent.end();
  });
}

it("switches a fault of the local ACI on and off, however often it is asked", async () => {
  const stack = await control();
  for (let n = 0; n < 2; n++) expect(await ask(stack, "PUT", "/drills/arm-403")).toMatchObject({ status: 200 });
  expect(stack.aci.faults.list()).toHaveLength(1);
  for (let n = 0; n < 2; n++) expect(await ask(stack, "DELETE", "/drills/arm-403")).toMatchObject({ status: 200 });
  expect(stack.aci.faults.list()).toEqual([]);
});

it("answers no other machine's name, and no web page's kind of request switches anything", async () => {
  const stack = await control();
  expect(await ask(stack, "GET", "/drills", "evil.example")).toMatchObject({ status: 403 });
  expect(await ask(stack, "PUT", "/drills/arm-403", "evil.example")).toMatchObject({ status: 403 });
  for (const method of ["GET", "POST"])
    expect(await ask(stack, method, "/drills/arm-403")).toMatchObject({ status: 404 });
  for (const path of ["/", "/drills/unheard-of", "/drills/__proto__", "/drills/arm-403%00", "//"])
    expect(await ask(stack, "PUT", path)).toMatchObject({ status: 404 });
  expect(stack.aci.faults.list()).toEqual([]);
});

it("offers only what the stack has services for", async () => {
  const names = async (stack: Control): Promise<readonly string[]> =>
    z
      .array(z.looseObject({ name: z.string() }))
      .parse(JSON.parse((await ask(stack, "GET", "/drills")).body))
      .map(({ name }) => name);
  const missing = [
    "seal-key-gone",
    "table-slow",
    "queue-frozen",
    "timer-dead",
    "poison-message",
    "log-storage-refusing",
  ];
  expect(await names(await control())).toEqual(drillNames.filter((name) => !missing.includes(name)));
});

it("puts a poison message on the queue and takes it away, and cuts off the vault alone", async () => {
  const azurite = await startAzurite();
  onTestFinished(() => azurite.stop());
  const stack = await control(azurite);
  const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient("aci-jobs-poison");
  await queue.create();
  const length = async (): Promise<number> =>
    (await queue.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.length;
  await ask(stack, "PUT", "/drills/poison-message");
  expect(await length()).toBe(1);
  await ask(stack, "DELETE", "/drills/poison-message");
  expect(await length()).toBe(0);

  const vault = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${stack.vaultPort}${path}`);
  expect(await vault("/secrets/job-drill")).toMatchObject({ status: 401 });
  await ask(stack, "PUT", "/drills/vault-gone");
  await expect(vault("/secrets/job-drill")).rejects.toThrow();
  expect(await vault("/keys/seal")).toMatchObject({ status: 401 });
});

it("takes callbacks, unless that drill is on", async () => {
  const stack = await control();
  expect(await ask(stack, "POST", "/callback")).toMatchObject({ status: 200 });
  await ask(stack, "PUT", "/drills/callback-dead");
  expect(await ask(stack, "POST", "/callback")).toMatchObject({ status: 500 });
});
