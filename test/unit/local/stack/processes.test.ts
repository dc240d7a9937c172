import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claim, endLeftovers, isAlive, readRecord, startedAt, writeRecord } from "../../../../local/stack/processes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "processes-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a process that has ended has no start time", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(await startedAt(child.pid ?? 0)).toBeUndefined();
});

test("a name is claimed by one living process at a time", async () => {
  expect(await claim(folder, "supervisor")).toBeUndefined();
  expect(await claim(folder, "supervisor")).toBe(process.pid);
  expect(await readdir(folder)).toEqual(["supervisor.json"]);
});

test("a claim whose process has gone gives way", async () => {
  const child = spawn("sleep", ["60"]);
  await writeRecord(folder, "supervisor", child.pid ?? 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await claim(folder, "supervisor")).toBeUndefined();
});

test("a leftover that ignores SIGTERM is killed after its grace", async () => {
  const child = spawn("sh", ["-c", "trap '' TERM; echo set; while :; do sleep 60; done"], { detached: true });
  await once(child.stdout, "data"); // the trap is set
  await writeRecord(folder, "host", child.pid ?? 0);
  const record = await readRecord(folder, "host");
  try {
    expect(await endLeftovers(folder, { grace: 50 })).toEqual(["host"]);
    expect(record && (await isAlive(record))).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    process.kill(-(child.pid ?? 0), "SIGKILL"); // its sleep
  }
});
