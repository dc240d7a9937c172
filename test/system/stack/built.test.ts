import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startReceiver } from "../../kit/receiver.ts";
import { freePorts } from "../../../local/stack/ports.ts";

/** The whole stack as it is built, by the commands of a user: `npm test` builds first. */
const soon = { timeout: 60_000, interval: 50 };

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Every process that a test starts, however deep, carries this in its environment. */
let mark: string;
let temporary: string;
let state: string | undefined;

beforeEach(async () => {
  mark = `MARK=${randomUUID()}`;
  temporary = await mkdtemp(join(tmpdir(), "built-test-"));
  state = undefined;
});

afterEach(async () => {
  for (const pid of await marked()) process.kill(pid, "SIGKILL");
  await rm(temporary, { recursive: true });
  if (state !== undefined) await rm(state, { recursive: true });
});

interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  readonly exitCode: Promise<number | null>;
}

function run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, words, {
    cwd: root,
    env: { ...process.env, MARK: mark.slice("MARK=".length), TMPDIR: temporary, NO_COLOR: "1", ...env },
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const result: Run = { child, stdout: "", stderr: "", exitCode: closed };
  child.stdout.on("data", (bytes: Buffer) => (result.stdout += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (result.stderr += bytes.toString()));
  return result;
}

/** The processes that carry the mark (proc(5): environ). */
async function marked(): Promise<readonly number[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(mark) ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

const finalStatus = z.object({
  state: z.string(),
  containers: z.record(z.string(), z.object({ exit_code: z.number(), output: z.string() })),
});

test("the demo runs the sample to its end, prints its result last, and leaves nothing behind", async () => {
  const theirs = { AzureWebJobsStorage: "theirs", AZURE_RESOURCE_MANAGER_ENDPOINT: "http://arm.invalid" };
  const receiver = await startReceiver();
  const proxy = { HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "", no_proxy: "" }; // nobody listens there
  const demo = run(["dist-local/main.mjs", "demo"], { ...theirs, ...proxy, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  expect(await demo.exitCode, demo.stderr).toBe(0);
  const { state, containers } = finalStatus.parse(JSON.parse(demo.stdout));
  expect(state).toBe("Succeeded");
  expect(containers).toMatchObject({
    app1: { exit_code: 0, output: "Hello World!\n" },
    app2: { exit_code: 0, output: "Hello World!\n" },
  });
  expect(await marked()).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
  await receiver.stop();
  const exported = JSON.stringify(receiver.taken.map(({ body }) => body));
  const names = ["RUN bellaciao", "POST /api/trigger", "process aci-jobs", "aciproxy.jobs.ended"];
  expect(names.filter((name) => !exported.includes(name))).toEqual([]);
  expect(exported).not.toMatch(/code=|dummy/);
});

test("a demo that can't write its folder says so in one line", async () => {
  const demo = run(["dist-local/main.mjs", "demo"], { TMPDIR: join(temporary, "missing") });
  expect(await demo.exitCode).toBe(1);
  expect(demo.stderr).toMatch(/^Cannot start: ENOENT: .*\n$/);
});

test("a demo that is interrupted leaves nothing behind", async () => {
  const demo = run(["dist-local/main.mjs", "demo"]);
  await expect.poll(() => demo.stderr, soon).toContain("Running");
  demo.child.kill("SIGINT");
  expect(await demo.exitCode).toBe(130);
  expect(await marked()).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test("a demo whose output nobody reads leaves nothing behind, and does not say that it succeeded", async () => {
  const demo = run(["dist-local/main.mjs", "demo"]);
  demo.child.stdout?.destroy();
  expect(await demo.exitCode).toBe(1);
  expect(demo.stderr).toMatch(/everything is stopped\nThe result can't be written: .*EPIPE.*\n$/);
  expect(await marked()).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test("a stack whose output nobody reads any more stops as if it was asked to", async () => {
  const [port = 0] = await freePorts(1);
  state = join(root, ".local", String(port));
  const stack = run(["dist-local/main.mjs", "start", "--port", String(port)]);
  stack.child.stdout?.destroy();
  expect([await stack.exitCode, stack.stderr]).toEqual([0, ""]);
  expect(await marked()).toEqual([]);
});

test("what a killed stack knew, the next one on its port knows; one with another subscription says why it takes no jobs", async () => {
  const [port = 0] = await freePorts(1);
  state = join(root, ".local", String(port));
  const start = async (env: NodeJS.ProcessEnv = {}): Promise<Run> => {
    const stack = run(["dist-local/main.mjs", "start", "--port", String(port)], env);
    await expect.poll(() => stack.stdout, soon).toMatch(/^ready http/m);
    return stack;
  };
  const client = (...words: string[]): Run =>
    run(["bin/aci-proxy.mjs", ...words], { ACI_PROXY_URL: `http://localhost:${port}` });

  const first = await start();
  const ran = client("run", "examples/bellaciao.yaml");
  expect(await ran.exitCode, ran.stderr).toBe(0);
  expect(ran.stdout.split("\n").sort()).toEqual(["", "app1 | Hello World!", "app2 | Hello World!"]);
  first.child.kill("SIGKILL");
  await first.exitCode;
  await expect.poll(marked, soon).toEqual([]);

  const second = await start();
  const status = client("status", "bellaciao");
  expect(await status.exitCode, status.stderr).toBe(0);
  expect(status.stdout).toMatch(/^Succeeded/);
  const logs = client("logs", "bellaciao", "app1");
  expect(await logs.exitCode, logs.stderr).toBe(0);
  expect(logs.stdout).toBe("Hello World!\n");
  second.child.kill("SIGTERM");
  expect(await second.exitCode).toBe(0);
  expect(await marked()).toEqual([]);

  // A shell with a developer's own subscription: the jobs are not its.
  const third = await start({ AZURE_SUBSCRIPTION_ID: "11111111-1111-1111-1111-111111111111" });
  await expect.poll(() => third.stderr, soon).toContain(`This stack's storage is ${state}. Set AZURE_SUBSCRIPTION_ID`);
  expect(third.stderr).toContain("belongs to an installation with another");
  third.child.kill("SIGTERM");
  expect(await third.exitCode).toBe(0);
});
