import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { freePorts } from "../../../local/stack/ports.ts";
import { endLeftovers, startedAt } from "../../../local/stack/processes.ts";
import { forkPart } from "../../kit/part.ts";

const soon = { timeout: 20_000, interval: 20 };

let folder: string;
let options: { appFolder: string; workFolder: string; pidFolder: string; port: number; env: Record<string, string> };
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-test-"));
  const [port = 0] = await freePorts(1);
  const at = (name: string): string => join(folder, name);
  options = {
    appFolder: at("app"),
    workFolder: at("work"),
    pidFolder: at("pids"),
    port,
    env: { A_SETTING: "its value" },
  };
  await mkdir(join(options.appFolder, "dist"), { recursive: true });
  for (const name of ["host.json", "package.json"]) await writeFile(join(options.appFolder, name), "{}");
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const fakeFunc = dirname(fileURLToPath(new URL("fixtures/func", import.meta.url)));

/** The part, and the first thing it says. `path` leads to `func`, or not. */
async function start(path = `${fakeFunc}${delimiter}${process.env["PATH"] ?? ""}`) {
  const child = forkPart("func", options, { env: { PATH: path } });
  children.push(child);
  const said: unknown[] = await once(child, "message");
  return { child, says: said[0] };
}

const told = z.object({
  words: z.array(z.string()),
  folder: z.string(),
  pid: z.number(),
  hasApp: z.boolean(),
  setting: z.string(),
  runtime: z.string(),
});
const ask = async () => told.parse(await (await fetch(`http://localhost:${options.port}/`)).json());

test("Core Tools serves a copy of the app with the stack's settings", async () => {
  const { child, says } = await start();
  expect(says).toEqual({ type: "ready", url: `http://localhost:${options.port}` });
  const func = await ask();
  expect(func).toMatchObject({
    words: ["start", "--port", String(options.port)],
    hasApp: true,
    setting: "its value",
    runtime: "node",
  });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(await startedAt(func.pid)).toBeUndefined();
});

test("Core Tools ends when the supervisor is gone", async () => {
  const { child } = await start();
  const { pid } = await ask();
  child.disconnect();
  await once(child, "exit");
  expect(await startedAt(pid)).toBeUndefined();
});

test("the part ends when Core Tools ends", async () => {
  const { child } = await start();
  await fetch(`http://localhost:${options.port}/crash`).catch(() => undefined);
  expect(await once(child, "exit")).toEqual([1, null]);
});

test("Core Tools that was killed with its part is found by the next start", async () => {
  const { child } = await start();
  const { pid } = await ask();
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await endLeftovers(options.pidFolder, { grace: 50 })).toEqual(["func"]);
  await expect.poll(() => startedAt(pid), soon).toBeUndefined();
});

test("a machine without Core Tools gets a one-line error", async () => {
  const { says } = await start(folder);
  expect(says).toEqual({
    type: "failed",
    code: "StartFailed",
    message: "func is not on PATH; install Azure Functions Core Tools 4, or leave out --host func",
  });
});
