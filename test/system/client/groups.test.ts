/** The command and groups of jobs, on a real stack. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { definition } from "../simulated.ts";
import { Command, useStack } from "./kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const used = useStack();

async function ended(...words: string[]) {
  const command = new Command(words, { env: { ACI_PROXY_URL: used.stack.url, ACI_PROXY_KEY: "local" } });
  const code = await command.exitCode;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

test("an operator limits a group, sees who waits, moves a job, pauses and resumes", async () => {
  expect(await ended("groups")).toMatchObject({ code: 0, stderr: expect.stringMatching(/^No group/) as string });
  expect(await ended("groups", "pause", "Ware/House_1")).toMatchObject({
    code: 0,
    stdout: "ware/house_1  0 held  paused  0 waiting\n",
  });
  const ids: string[] = [];
  for (const name of ["one", "two"]) {
    const file = join(used.folder, `${name}.json`);
    await writeFile(file, definition(name));
    const { stdout, stderr } = await ended("run", file, "--detach", "--group", "ware/house_1", "--group-limit", "5");
    expect(stdout, stderr).not.toBe("");
    ids.push(stdout.trim());
  }
  const [one = "", two = ""] = ids;
  const waiting = async () => {
    const { stdout } = await ended("groups", "ware/house_1");
    return [one, two].toSorted((a, b) => stdout.indexOf(a) - stdout.indexOf(b));
  };
  await vi.waitFor(async () => expect((await ended("groups")).stdout).toContain("2 waiting"), 30_000);
  expect(await waiting()).toEqual([one, two]);
  expect(await ended("priority", "two", "3600")).toMatchObject({
    code: 0,
    stdout: "The job has a head start of 3600 seconds.\n",
  });
  expect(await waiting()).toEqual([two, one]);
  expect(await ended("priority", "two", "-3600")).toMatchObject({ code: 0 });
  expect(await waiting()).toEqual([one, two]);

  const limited = await ended("groups", "limit", "ware/house_1", "1", "--json");
  expect(JSON.parse(limited.stdout)).toMatchObject({ group: "ware/house_1", limit: 1, paused: true });
  const resumed = await ended("groups", "resume", "ware/house_1");
  expect(resumed.stdout).toMatch(
    /^ware\/house_1 {2}1 held {2}limit 1 {2}1 waiting\nSlots:\n {2}one .*\nWaiting.*\n {2}two/,
  );
  expect(await ended("cancel", "--group", "Ware/House_1")).toMatchObject({ code: 0 });
  expect(await ended("groups", "limit", "ware/house_1", "none")).toMatchObject({ code: 0 });
});

const odd = ["a", "a_b", "a/b", "A/C", "a:b", "a.b", "-", "/_", "a//b", "..", "./..", "x/".repeat(64)];

test("a group of any name is limited, named by a job, listed and found by the command and by HTTP", async () => {
  const { url } = used.stack;
  const headers = { "x-functions-key": "local" };
  for (const [n, name] of odd.entries()) {
    const set = await ended("groups", "limit", "--", name, String(n + 1));
    expect(set.stdout, set.stderr).toBe(`${name.toLowerCase()}  0 held  limit ${n + 1}  0 waiting\n`);
    const query = new URLSearchParams({ group: name, onGroupFull: "reject" }).toString();
    const init = { method: "POST", headers, body: definition(`odd-${n}`, { app: { seconds: 3600 } }) };
    expect((await fetch(`${url}/api/trigger?${query}`, init)).status, name).toBe(200);
    const shown = await fetch(
      `${url}/api/groups/${encodeURIComponent(encodeURIComponent(name).replaceAll(".", "%2E"))}`,
      {
        headers,
      },
    );
    expect(await shown.json(), name).toMatchObject({ group: name.toLowerCase(), held: 1, limit: n + 1 });
    const found = await fetch(`${url}/api/jobs?${new URLSearchParams({ group: name }).toString()}`, { headers });
    expect(await found.json(), name).toMatchObject({ jobs: [{ name: `odd-${n}`, group: name.toLowerCase() }] });
  }
  const { stdout } = await ended("groups", "--json");
  const names = (JSON.parse(stdout) as { group: string }[]).map(({ group }) => group);
  expect(names).toEqual(expect.arrayContaining(odd.map((name) => name.toLowerCase())));
  expect(await ended("cancel", "--state", "active")).toMatchObject({ code: 0 });
  for (const [parameter, value] of Object.entries({
    group: "a b",
    groupLimit: "0",
    onGroupFull: "maybe",
    priority: "1.5",
  })) {
    const query = new URLSearchParams({ group: "g", [parameter]: value }).toString();
    const refused = await fetch(`${url}/api/trigger?${query}`, {
      method: "POST",
      headers,
      body: definition("refused"),
    });
    expect(refused.status, parameter).toBe(400);
    expect(await refused.text()).toContain(parameter);
  }
});

test.each([
  [["groups", "limit", "g", "many"], 202, "must be a whole number, or"],
  [["groups", "limit", "g"], 202, "limit"],
  [["groups", "limit", "g", "0"], 204, "limit must be a whole number from 1 to 10000, or null"],
  [["groups", "pause", "a b"], 204, "group"],
  [["priority", "x", "soon"], 202, "whole number of seconds"],
  [["priority", "never-heard-of", "5"], 204, "No job of that id or name"],
])("%j is refused, and says why", async (words, wanted, why) => {
  const { code, stderr } = await ended(...words);
  expect(code, stderr).toBe(wanted);
  expect(stderr).toContain(why);
});
