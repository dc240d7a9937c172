import { build } from "esbuild";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launch } from "../../../local/stack/part-process.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { isAlive, readRecord, startedAt } from "../../../local/stack/processes.ts";
import { livingRecords } from "./kit.ts";

const soon = { timeout: 20_000, interval: 20 };

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const part = here("fixtures/part.mjs");
/** One file with its packages, as the stack's programs are, which starts sooner. */
const program = here(`../../../.local/test/supervisor-${process.pid}.mjs`);

beforeAll(async () => {
  const entryPoints = [here("fixtures/supervisor.ts")];
  await build({ entryPoints, outfile: program, bundle: true, platform: "node", format: "esm" });
});
afterAll(() => rm(program));

/** The supervisor as a process of its own, with stand-ins for its parts. */
class Supervisor {
  readonly child: ChildProcess;
  readonly port: number;
  stdout = "";
  stderr = "";

  constructor(port: number, env: NodeJS.ProcessEnv = {}, throughShell = false) {
    this.port = port;
    const words = [process.execPath, program, String(port), folder, part];
    // The `:` keeps the shell from putting the program in its own place: npm's is there all the time.
    const [command = "", ...rest] = throughShell ? ["sh", "-c", `'${words.join("' '")}'; :`] : words;
    this.child = spawn(command, rest, { env: { ...process.env, ...env } });
    this.child.stdout?.on("data", (bytes: Buffer) => (this.stdout += bytes.toString()));
    this.child.stderr?.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    supervisors.push(this);
  }

  readonly closed = new Promise<number | null>((resolve) => {
    queueMicrotask(() => this.child.once("close", resolve));
  });

  get pidFolder(): string {
    return join(folder, String(this.port), "pids");
  }

  living(): Promise<readonly string[]> {
    return livingRecords(this.pidFolder);
  }

  async ready(): Promise<this> {
    await expect.poll(() => this.stdout + this.stderr, soon).toMatch(/^ready http:/m);
    return this;
  }

  async ended(): Promise<void> {
    await this.closed;
    await expect.poll(() => this.living(), soon).toEqual([]);
  }
}

const all = ["aci", "azurite", "host", "supervisor"];
let folder: string;
let supervisors: Supervisor[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "supervisor-test-"));
  supervisors = [];
});

afterEach(async () => {
  for (const { child } of supervisors) child.kill("SIGKILL");
  for (const supervisor of supervisors) await supervisor.ended();
  await rm(folder, { recursive: true });
});

async function supervise(env?: NodeJS.ProcessEnv): Promise<Supervisor> {
  const [port = 0] = await freePorts(1);
  return new Supervisor(port, env).ready();
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s stops every part, and that is no failure", async (name) => {
  const supervisor = await supervise();
  expect(await supervisor.living()).toEqual(all);
  supervisor.child.kill(name);
  expect(await supervisor.closed).toBe(0);
  expect(await supervisor.living()).toEqual([]);
});

test("the last line on stdout says where it serves", async () => {
  const supervisor = await supervise();
  expect(supervisor.stdout.trimEnd().split("\n").at(-1)).toMatch(/^ready http:\/\/\S+:\d+$/);
});

test("a setting of the app that is wrong is said on the terminal", async () => {
  const supervisor = await supervise({ MAX_ACTIVE_JOBS: "many" });
  await expect.poll(() => supervisor.stderr, soon).toContain("Invalid setting: MAX_ACTIVE_JOBS must be a whole number");
});

test("SIGKILL of the supervisor takes its parts along", async () => {
  const supervisor = await supervise();
  supervisor.child.kill("SIGKILL");
  await supervisor.ended();
});

test("a part that outlived a killed supervisor ends with the next start", async () => {
  const first = await supervise({ STAND_IN: "host deaf" });
  const host = await readRecord(first.pidFolder, "host");
  first.child.kill("SIGKILL");
  await first.closed;
  await expect.poll(() => first.living(), soon).toEqual(["host"]);
  await new Supervisor(first.port).ready();
  expect(host && (await isAlive(host))).toBe(false);
});

test("a recorded pid that another process has now is left alone", async () => {
  const bystander = spawn("sleep", ["60"]);
  try {
    const [port = 0] = await freePorts(1);
    const pidFolder = join(folder, String(port), "pids");
    const pid = bystander.pid ?? 0;
    await mkdir(pidFolder, { recursive: true });
    await writeFile(join(pidFolder, "host.json"), JSON.stringify({ pid, started: "some other time" }));
    await new Supervisor(port).ready();
    expect(await startedAt(pid)).toBeDefined();
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("a part that dies takes the stack down: exit code 1, a line that names it and says why, its last words", async () => {
  const supervisor = await supervise();
  await fetch(`http://127.0.0.1:${supervisor.port}/crash`).catch(() => undefined);
  expect(await supervisor.closed).toBe(1);
  expect(supervisor.stderr).toContain("The part host stopped unexpectedly (exit code 3: no space left)");
  expect(supervisor.stderr).toContain("host: a sad end");
  expect(await supervisor.living()).toEqual([]);
});

test("a part whose pid can't be noted does not start, and is stopped as any other", async () => {
  const inTheWay = join(folder, "pids");
  await writeFile(inTheWay, "");
  const location = { pidFolder: inTheWay, logFile: (name: string) => join(folder, name), verbose: false, env: {} };
  const started = launch({ name: "host", program: part, options: { port: 0 } }, location);
  await expect(started.ready).rejects.toMatchObject({ code: "EEXIST" });
  await started.stop();
  expect((await started.ended).part).toBe("host");
});

test("a second start on the same port ends at once with one line, and the first goes on", async () => {
  const first = await supervise();
  const second = new Supervisor(first.port);
  expect(await second.closed).toBe(1);
  expect(second.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(second.stderr).toContain(`npm start -- --port ${first.port + 1}`);
  expect(await first.living()).toEqual(all);
});

test("two stacks live side by side, each with its own state", async () => {
  const [one, two] = await Promise.all([supervise(), supervise()]);
  expect(await one.living()).toEqual(all);
  expect(await two.living()).toEqual(all);
  one.child.kill("SIGTERM");
  await one.ended();
  expect(await two.living()).toEqual(all);
});

test("wrong flags and variables are all reported at once", async () => {
  const supervisor = new Supervisor(70_000, { ACI_ENGINE: "steam" });
  expect(await supervisor.closed).toBe(1);
  expect(supervisor.stderr).toContain("--port must be a number from 1 to 65535");
  expect(supervisor.stderr).toContain("ACI_ENGINE must be one of process, podman, docker, simulated");
});

test("under npm, the end of npm is the end of the stack, however it came", async () => {
  const [port = 0] = await freePorts(1);
  const supervisor = await new Supervisor(port, { npm_lifecycle_event: "start" }, true).ready();
  supervisor.child.kill("SIGKILL"); // the shell in between; nobody notifies the supervisor
  await supervisor.ended();
});
