import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { freePorts, isFree } from "../../../local/stack/ports.ts";
import { controlPort, type StackSettings } from "../../../local/stack/settings.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { livingRecords } from "./kit.ts";
import { standIns } from "./fixtures/stand-ins.ts";

const programs = standIns(fileURLToPath(new URL("fixtures/part.mjs", import.meta.url)));
let folder: string;
let stacks: Stack[];
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stack-test-"));
  stacks = [];
});

afterEach(async () => {
  await Promise.all(stacks.map((stack) => stack.stop()));
  expect(await livingRecords(join(folder, "pids"))).toEqual([]);
  await rm(folder, { recursive: true });
});

async function settings(changes: Partial<StackSettings> = {}): Promise<StackSettings> {
  const [port = 0] = await freePorts(1);
  return {
    port,
    folder,
    host: "embedded",
    storage: "azurite",
    arm: { kind: "local", engine: "simulated", simulated: {}, control: false, faults: [] },
    key: "a key",
    verbose: false,
    env: process.env,
    ...changes,
  };
}

async function start(changes: Partial<StackSettings> = {}, asked: AbortSignal = never): Promise<Stack> {
  const stack = await startStack(await settings(changes), programs, asked);
  stacks.push(stack);
  return stack;
}

const standIn = (behaviour: string): Partial<StackSettings> => ({ env: { ...process.env, STAND_IN: behaviour } });

const hostOptions = z.object({ env: z.record(z.string(), z.string()), hostKey: z.string(), port: z.number() });
const aciOptions = z.object({ engine: z.string(), eventQueue: z.object({ connectionString: z.string() }).optional() });

async function optionsOf<T>(url: string, shape: z.ZodType<T>): Promise<T> {
  return shape.parse(await (await fetch(`${url}/options`)).json());
}

describe("a stack", () => {
  test("gives the host the addresses of the storage and the ARM that it started", async () => {
    const stack = await start();
    const host = await optionsOf(stack.url, hostOptions);
    const arm = host.env["AZURE_RESOURCE_MANAGER_ENDPOINT"] ?? "";
    const aci = await optionsOf(arm, aciOptions);
    expect(host.hostKey).toBe("a key");
    expect(host.env["AzureWebJobsStorage"]).toContain("QueueEndpoint=http://127.0.0.1:");
    expect(aci.eventQueue?.connectionString).toBe(host.env["AzureWebJobsStorage"]);
    expect(host.env["PUBLIC_URL"]).toBe(`http://localhost:${host.port}`);
    expect(host.env["SEAL_KEY_FILE"]).toBe(join(folder, "seal.key"));
  });

  test("with --control the host gets the addresses of what may be made to fail, and callbacks may come here", async () => {
    const stack = await start({
      arm: { kind: "local", engine: "simulated", simulated: {}, control: true, faults: [] },
      env: { ...process.env, VAULT_URL: "https://theirs.example" },
    });
    const { env } = await optionsOf(stack.url, hostOptions);
    expect(await livingRecords(join(folder, "pids"))).toEqual(["aci", "azurite", "drills", "host", "supervisor"]);
    expect(env["SEAL_KEY_ID"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/keys\/seal$/);
    expect(env).not.toHaveProperty("SEAL_KEY_FILE");
    expect(env).not.toHaveProperty("VAULT_URL");
    expect(env["CALLBACK_HOSTS"]).toBe("localhost");
    const { eventQueue } = await optionsOf(env["AZURE_RESOURCE_MANAGER_ENDPOINT"] ?? "", aciOptions);
    expect(eventQueue?.connectionString).not.toBe(env["AzureWebJobsStorage"]);
  });

  test("starts no local ACI where an ARM is named, and no Azurite where storage is", async () => {
    const env = { ...process.env, AzureWebJobsStorage: "theirs", PUBLIC_URL: "https://proxy.example" };
    const stack = await start({ env, storage: "external", arm: { kind: "external", url: "http://arm.example" } });
    const host = await optionsOf(stack.url, hostOptions);
    expect(await livingRecords(join(folder, "pids"))).toEqual(["host", "supervisor"]);
    expect(Object.keys(host.env)).not.toContain("AzureWebJobsStorage");
    expect(Object.keys(host.env)).not.toContain("AZURE_RESOURCE_MANAGER_ENDPOINT");
    expect(Object.keys(host.env)).not.toContain("PUBLIC_URL");
  });

  test("has the same ports after a restart", async () => {
    const first = await start();
    const before = await optionsOf(first.url, hostOptions);
    await first.stop();
    const second = await start();
    const after = await optionsOf(second.url, hostOptions);
    expect(after.env["AzureWebJobsStorage"]).toBe(before.env["AzureWebJobsStorage"]);
    expect(after.env["AZURE_RESOURCE_MANAGER_ENDPOINT"]).toBe(before.env["AZURE_RESOURCE_MANAGER_ENDPOINT"]);
  });

  test("takes other ports when one of them is taken by the time it is used, and asks for no control port without --control", async () => {
    const [port = 0] = await freePorts(1);
    const other = createServer();
    onTestFinished(() => void other.close());
    // Another test's server there is as good.
    if (await isFree(controlPort(port))) await once(other.listen(controlPort(port), "127.0.0.1"), "listening");
    const stack = await start({ ...standIn(`azurite taken-once ${join(folder, "taken")}`), port });
    expect((await fetch(stack.url)).ok).toBe(true);
  });

  test("takes new ports when an old one is taken, and never the host's own", async () => {
    const first = await start();
    const { port } = await optionsOf(first.url, hostOptions);
    await first.stop();
    await writeFile(join(folder, "ports.json"), JSON.stringify({ aci: port, blob: port, queue: port, table: port }));
    const second = await start({ port });
    expect((await optionsOf(second.url, hostOptions)).env["AzureWebJobsStorage"]).not.toContain(`:${port}/`);
  });

  test("keeps the log of the start before the last", async () => {
    await (await start()).stop();
    const log = join(folder, "logs", "host.log");
    await writeFile(log, "yesterday");
    await start();
    expect(await readFile(`${log}.1`, "utf8")).toBe("yesterday");
  });
});

describe("a stack that can't start", () => {
  test("says which part failed and why, and stops the others", async () => {
    await expect(start(standIn("aci fail"))).rejects.toMatchObject({
      part: "aci",
      code: "NoLuck",
      message: "aci could not start: no luck with aci",
    });
  });

  // A program on ::1 alone (a page's development server, say) is what `localhost` means to some callers.
  test.each(["127.0.0.1", "::1"])("says that the port is taken on %s, before it starts anything", async (address) => {
    const blocker = createServer();
    const taken = await settings();
    await new Promise<void>((resolve) => blocker.listen(taken.port, address, resolve));
    try {
      await expect(startStack(taken, programs, never)).rejects.toThrow(
        `port ${taken.port} is taken by another program; choose another: npm start -- --port ${taken.port + 1}`,
      );
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });

  test("says so when it runs already", async () => {
    await start();
    await expect(start()).rejects.toThrow(`is running already (process ${process.pid})`);
  });

  test("leaves nothing behind when it is stopped while it starts", async () => {
    const asked = new AbortController();
    const starting = start(standIn("aci hang"), asked.signal);
    await expect.poll(() => livingRecords(join(folder, "pids")), { timeout: 20_000 }).toContain("aci");
    asked.abort();
    await expect(starting).rejects.toThrow();
  });
});

describe("a part that ends unasked", () => {
  test("is reported with its last output, and the others can be stopped", async () => {
    const stack = await start();
    const { env } = await optionsOf(stack.url, hostOptions);
    await fetch(`${env["AZURE_RESOURCE_MANAGER_ENDPOINT"] ?? ""}/crash`).catch(() => undefined);
    const failure = await stack.broken;
    expect(failure.message).toBe("aci stopped unexpectedly (exit code 3: no space left)");
    expect(failure.lastLines).toEqual(["aci: a sad end"]);
  });
});
