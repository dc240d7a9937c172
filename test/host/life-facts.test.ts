/** A host's life: how apps load, timers tick, and a host ends. Where a process has to die, it is one of its own. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startHost } from "../../local/host/host.ts";
import { type HostOptions, HostOptionsSchema } from "../../local/host/options.ts";
import { type Azurite, startAzurite } from "../kit/azurite.ts";
import { fastClock, type Part, startPart } from "../kit/part.ts";
import { until } from "../kit/until.ts";
import type { Run } from "./fixture-app/src/runs.ts";
import { buildApp, type BuiltApp, fixtureSettings, when } from "./kit.ts";

/** A process takes a second to start, more on a busy machine. */
const SLOW = { timeout: 60_000 };

let azurite: Azurite;
let app: BuiltApp;
const hosts: Part[] = [];

beforeAll(async () => {
  [azurite, app] = await Promise.all([startAzurite(), buildApp("index")]);
});

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.end("SIGKILL")));
});

afterAll(async () => {
  await Promise.all([azurite.stop(), app.remove()]);
});

/** @param first imported before the host */
async function start(options: Partial<HostOptions> = {}, storage = azurite, first?: string): Promise<Part> {
  const all = { appFolder: app.folder, port: 0, timerLeaseSeconds: 1, leaseSeconds: 1, ...options };
  const host = await startPart("host", { ...all, env: fixtureSettings(storage, options.env) }, { first });
  hosts.push(host);
  return host;
}

const runs = async (host: Part, name: string): Promise<Run[]> => {
  const reply = await fetch(`${host.url}/api/runs`);
  return ((await reply.json()) as Run[]).filter((run) => run.name === name);
};

const firstRun = (host: Part, name: string): Promise<Run> =>
  until(`a run of ${name}`, async () => (await runs(host, name))[0]);

const queue = async (name: string, storage = azurite) => {
  const client = QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient(name);
  await client.createIfNotExists();
  return client;
};

describe("loading", SLOW, () => {
  test("an ES module app with an await at its top loads, and its hooks may change handler, result and error", async () => {
    const esm = await buildApp("esm");
    const host = await start({ appFolder: esm.folder });
    const greeted = await fetch(`${host.url}/api/greet`);
    expect([greeted.headers.get("x-wrapped"), await greeted.text()]).toEqual(["yes", "hello from a module"]);
    const failed = await fetch(`${host.url}/api/fails`);
    expect([failed.status, await failed.text()]).toEqual([418, "fails failed"]);
    await esm.remove();
  });

  const broken: readonly [string, Record<string, string>, string, string][] = [
    [
      "a main that matches no file",
      { "package.json": '{"main":"dist/*.js"}', "host.json": '{"version":"2.0"}' },
      "AppLoadFailed",
      "No file",
    ],
    [
      "an entry file that throws",
      { "package.json": "{}", "index.js": 'throw new Error("at its top")', "host.json": '{"version":"2.0"}' },
      "AppLoadFailed",
      "at its top",
    ],
    ["no host.json", { "package.json": "{}", "index.js": "" }, "InvalidHostJson", "host.json can't be read"],
    [
      "a host.json with a time span of another form",
      {
        "package.json": "{}",
        "index.js": "",
        "host.json": '{"version":"2.0","extensions":{"queues":{"maxPollingInterval":"2000"}}}',
      },
      "InvalidHostJson",
      "extensions.queues.maxPollingInterval",
    ],
  ];
  test.each(broken)("%s stops the host with a clear message", async (_, files, code, message) => {
    const folder = await mkdtemp(join(tmpdir(), "broken-app-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const failure: unknown = await startHost({ appFolder: folder, port: 0 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(message);
    await rm(folder, { recursive: true });
  });

  test("the host listens on loopback alone, and a port that is taken is said with its code", async () => {
    const host = await start();
    const port = Number(new URL(host.url).port);
    await expect(fetch(`http://127.0.0.2:${port}/admin/host/ping`)).rejects.toThrow();
    await expect(start({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("timers", SLOW, () => {
  test("six fields tick every second, one run at a time, with no schedule status under a minute", async () => {
    const host = await start();
    const ticks = await until("two ticks", async () => {
      const noted = await runs(host, "ticking");
      return when(noted.length >= 2, noted);
    });
    expect(ticks[0]?.timer).toMatchObject({ isPastDue: false, scheduleStatus: null });
    const seconds = ticks.map((tick) => Math.floor(tick.at / 1000));
    expect(new Set(seconds).size).toBe(ticks.length);
  });

  test("runOnStartup runs at start; an hourly timer is monitored, and its status is kept in the storage", async () => {
    const host = await start({ hostId: "monitored" });
    const { timer } = await firstRun(host, "hourly");
    expect(timer?.scheduleStatus.next).toMatch(/:00:00\.000\+00:00$/);
    const blob = BlobServiceClient.fromConnectionString(azurite.connectionString)
      .getContainerClient("azure-webjobs-hosts")
      .getBlobClient("timers/monitored/Host.Functions.hourly/status");
    const status = await until("the stored status", async () => {
      const text = (await blob.downloadToBuffer()).toString("utf8");
      return when(!text.includes("0001-01-01"), text);
    });
    expect(JSON.parse(status)).toMatchObject({ Next: timer?.scheduleStatus.next });
  });

  test("an occurrence that was missed while no host ran is past due at the next start", async () => {
    const first = await start({ hostId: "missed" });
    await firstRun(first, "hourly");
    await first.end("SIGTERM");
    const blob = BlobServiceClient.fromConnectionString(azurite.connectionString)
      .getContainerClient("azure-webjobs-hosts")
      .getBlockBlobClient("timers/missed/Host.Functions.hourly/status");
    const hour = 3_600_000;
    const last = new Date(Math.floor(Date.now() / hour) * hour - 3 * hour);
    const next = new Date(last.getTime() + hour);
    const text = JSON.stringify({
      Last: last.toISOString(),
      Next: next.toISOString(),
      LastUpdated: last.toISOString(),
    });
    await blob.upload(text, text.length);
    const second = await start({ hostId: "missed" });
    expect((await firstRun(second, "hourly")).timer).toMatchObject({ isPastDue: true });
  });

  test("of two hosts on one storage one runs the timer, and the other takes over when it dies", async () => {
    const [first, second] = [await start(), await start()];
    const running = await until("ticks on one of them", async () => {
      const [a, b] = [await runs(first, "ticking"), await runs(second, "ticking")];
      return when(a.length + b.length >= 3, a.length > b.length ? first : second);
    });
    const waiting = running === first ? second : first;
    expect(await runs(waiting, "ticking")).toEqual([]);
    const died = Date.now();
    await running.end("SIGKILL");
    const takenOver = await firstRun(waiting, "ticking");
    expect(takenOver.at - died).toBeLessThan(20_000); // 60 s with the real lease
  });
});

describe("a function that exceeds functionTimeout", SLOW, () => {
  const impatient = { AzureFunctionsJobHost__functionTimeout: "00:00:08" };
  /** The host may be between two workers: on a busy machine any run may exceed these timeouts. */
  const noted = (host: Part, name: string): Promise<Run[]> => runs(host, name).catch(() => []);
  const answers = (host: Part) => async (): Promise<true | undefined> =>
    fetch(`${host.url}/api/openapi.json`).then(
      ({ ok }) => when(ok, true),
      () => undefined,
    );

  test("ends with its worker, and with it every run there: calls are 500, messages come back at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "timeout-"));
    const logFile = join(folder, "host.log");
    const client = await queue("gated");
    // A try before this one may have left its message.
    await client.clearMessages();
    const host = await start({ leaseSeconds: 600, logFile, env: impatient });
    const late = fetch(`${host.url}/api/hangs`);
    late.catch(() => undefined); // it is awaited below, unless the test fails before
    // It must be the first to begin, so that it is the one that exceeds the timeout.
    await until("the call", async () => (await noted(host, "hangs"))[0]);
    await client.sendMessage("beside it");
    const { metadata } = await until("a run of gated", async () => (await noted(host, "gated"))[0]);
    expect(metadata).toMatchObject({ dequeueCount: 1 });
    const innocent = fetch(`${host.url}/api/beats`, { method: "POST", body: join(folder, "beats") });
    expect([(await late).status, (await innocent).status]).toEqual([500, 500]);
    const log = await until("the lines of both runs", () => {
      const text = readFileSync(logFile, "utf8");
      return when(text.includes("Functions.beats' (Failed"), text);
    });
    expect(log).toMatch(/Functions\.hangs' \(Failed.*Timeout value of 8000 ms exceeded by function: hangs/);
    expect(log).toMatch(/Functions\.beats' \(Failed.*Ended with its worker, because hangs exceeded its timeout/);

    await until("a second run, by the next worker", async () =>
      (await noted(host, "gated")).find(({ metadata }) => Number(metadata?.dequeueCount) >= 2),
    );
    await client.clearMessages();
    await host.end("SIGTERM");
    await rm(folder, { recursive: true });
  });

  test("does nothing any more once its worker has ended", async () => {
    const folder = await mkdtemp(join(tmpdir(), "timeout-"));
    const file = join(folder, "beats");
    const host = await start({ env: { ...impatient, AzureFunctionsJobHost__functionTimeout: "00:00:01" } });
    const beats = await until("an answer to beats", () =>
      fetch(`${host.url}/api/beats`, { method: "POST", body: file }).catch(() => undefined),
    );
    expect(beats.status).toBe(500);
    await until("the next worker", answers(host));
    const before = readFileSync(file, "utf8");
    expect(before).not.toBe("");
    await until("more ticks of the timer than the dead one's", async () => (await noted(host, "ticking"))[0]);
    expect(readFileSync(file, "utf8")).toBe(before);
    await rm(folder, { recursive: true });
  });
});

describe("ending", SLOW, () => {
  test(
    "after SIGKILL a message that was being worked on stays hidden for ten minutes",
    { timeout: 120_000 },
    async () => {
      const factor = 60;
      const first = fastClock(factor);
      const fast = await startAzurite({ first });
      const real = { leaseSeconds: HostOptionsSchema.parse({ appFolder: "" }).leaseSeconds };
      const client = await queue("gated", fast);
      const dying = await start(real, fast, first);
      await client.sendMessage("survivor");
      const { at } = await firstRun(dying, "gated");
      const epoch = Number(new URL(first).searchParams.get("epoch"));
      await dying.end("SIGKILL");
      const died = epoch + (Date.now() - epoch) * factor;
      const next = await start(real, fast, first);
      const again = await firstRun(next, "gated");
      expect(again).toMatchObject({ message: "survivor", metadata: { dequeueCount: 2 } });
      expect((again.at - at) / 60_000).toBeGreaterThan(9.9);
      expect((again.at - died) / 60_000).toBeLessThan(11); // the queue is read every minute at the latest
      await fast.stop();
    },
  );

  test("after SIGKILL a message that was being worked on comes back when its lease has run out", async () => {
    const client = await queue("gated");
    const first = await start();
    await client.sendMessage("survivor");
    await firstRun(first, "gated");
    await first.end("SIGKILL");
    const second = await start();
    const again = await firstRun(second, "gated");
    expect(again).toMatchObject({ message: "survivor", metadata: { dequeueCount: 2 } });
    await second.end("SIGKILL");
    await client.clearMessages();
  });

  test("SIGTERM waits for a function that runs, and takes no new message", async () => {
    const client = await queue("slow");
    const host = await start();
    await client.sendMessage("1000");
    await firstRun(host, "slow");
    const ending = host.end("SIGTERM");
    await client.sendMessage("1");
    await ending;
    const left = (await client.receiveMessages({ numberOfMessages: 32 })).receivedMessageItems;
    expect(left.map((message) => message.messageText)).toEqual(["1"]);
    await client.clearMessages();
  });

  test("but no longer than the host's drain time", async () => {
    const client = await queue("gated");
    const host = await start({ drainSeconds: 0.2 });
    await client.sendMessage("endless");
    await firstRun(host, "gated");
    const started = Date.now();
    await host.end("SIGTERM");
    expect(Date.now() - started).toBeLessThan(20_000); // 30 s unless set
    await client.clearMessages();
  });
});
