import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Fault } from "../../local/aci/control/faults.ts";
import type { StartOptions } from "../../local/aci/aci.ts";
import { virtualClock } from "../../local/aci/clock.ts";
import { removeLeftovers, type World } from "../../scripts/verify-azure/bench.ts";
import { questions } from "../../scripts/verify-azure/questions.ts";
import { costOf, planOf, run } from "../../scripts/verify-azure/run.ts";
import { Aci } from "../../src/shared/aci/client.ts";
import { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import { second } from "../../src/shared/base/duration.ts";
import { start } from "../kit/kit.ts";
import { until } from "../kit/until.ts";
import { GROUP, serve, SUBSCRIPTION, wire, definition } from "./aci/kit.ts";

vi.setConfig({ testTimeout: 120_000 });

const prices = { vcpuHour: 0.0405, gbHour: 0.00445 };
const log = Array.from({ length: 3000 }, (_, i) => `line ${i + 1} of a log that is too long to stay\n`).join("");

/** A local Container Instances whose containers print that log and fail after 20 s, in a time that passes only by waiting. */
async function azure(options: StartOptions = {}, faults: readonly Fault[] = []) {
  const clock = virtualClock(start);
  const simulated = { SIM_RUN_SECONDS: "20", SIM_EXIT_CODE: "1", SIM_OUTPUT: log };
  const aci = await serve({ engine: "simulated", clock, simulated, limits: false, ...options });
  for (const fault of faults) aci.faults.add(fault);
  const interruption = new AbortController();
  const lines: string[] = [];
  const tag = new InstallationTag({ id: "verify", tagKey: "verify" });
  const world: World = {
    aci: new Aci({
      endpoint: aci.url,
      credential: { getToken: () => Promise.resolve(null) },
      tag,
      now: () => clock.now(),
    }),
    target: { subscriptionId: SUBSCRIPTION, resourceGroup: GROUP, location: "westeurope" },
    location: "westeurope",
    image: "registry.example/busybox:1",
    usage: async (name) => {
      const path = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations/westeurope/usages`;
      const { value } = (await wire(aci.url, "GET", path)).body as {
        value: { name: { value: string }; currentValue: number; limit: number }[];
      };
      const found = value.find((each) => each.name.value === name);
      return found && { used: found.currentValue, limit: found.limit };
    },
    now: () => clock.now(),
    sleep: (ms) => {
      clock.advance(ms);
      return Promise.resolve();
    },
    interrupted: interruption.signal,
    say: (line) => void lines.push(line),
  };
  const names = () => [...aci.provider.all()].map(({ id }) => id.name);
  const ask = async (...ids: string[]) => {
    const { answers, left, interrupted } = await run(
      world,
      questions.filter(({ id }) => ids.includes(id)),
    );
    return { ...Object.fromEntries(answers), left, interrupted };
  };
  return { aci, clock, world, lines, names, ask, interruption };
}

test("every question is a row of docs/open-questions.md", () => {
  const page = readFileSync(new URL("../../docs/open-questions.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (.*?) \|/gm)].map(([, id, statement]) => ({ id, statement }));
  expect(rows).toEqual(questions.map(({ id, statement }) => ({ id, statement })));
});

test("all questions together cost less than a dollar, and the plan says so before anything is made", () => {
  const total = questions.reduce((sum, question) => sum + costOf(question, prices), 0);
  expect(total).toBeLessThan(1);
  expect(planOf(questions, prices).at(-1)).toContain(`at most $${total.toFixed(2)} in all`);
});

test("each question gets an answer, and no group stays", async () => {
  const { ask, names, lines } = await azure();
  const outcome = await ask(...questions.map(({ id }) => id));
  expect(outcome).toMatchObject({
    "log-tail": { result: "holds", because: expect.stringMatching(/^\d+ of 3000 lines/) as unknown },
    "never-restarts": { result: "holds" },
    "finished-quota": { result: "fails", because: "groups counted: 0 before, 1 while it ran, 1 once it had finished" },
    "quota-refusal": { result: "not run", because: expect.stringContaining("100 of 100 cores are free") as unknown },
    "late-visibility": { result: "holds" },
    "spot-eviction": { result: "not run" },
    "factory-polling": { result: "not run" },
    "flex-wake-up": { result: "not run" },
    left: [],
    interrupted: false,
  });
  expect(lines).toHaveLength(questions.length);
  expect(names()).toEqual([]);
});

test("a full quota is reached with few groups, and the refusal's code is reported", async () => {
  const { ask, names } = await azure({ limits: { quota: { groups: 100, cores: 6 } } });
  expect(await ask("quota-refusal")).toMatchObject({
    "quota-refusal": {
      result: "holds",
      because: expect.stringMatching(/^HTTP \d+ ContainerGroupQuotaReached is read as QuotaReached$/) as unknown,
    },
    left: [],
  });
  expect(names()).toEqual([]);
});

const fault = (kind: Fault["match"]["kind"], effect: Fault["effect"], more: Partial<Fault> = {}): Fault => ({
  match: { kind },
  probability: 1,
  effect,
  ...more,
});

test("a restart in spite of Never, and a group that is missing for too long, make statements fail", async () => {
  const restarting = await azure({}, [fault("put", { type: "restartAnyway", times: 1 })]);
  expect(await restarting.ask("never-restarts")).toMatchObject({ "never-restarts": { result: "fails" } });
  const late = await azure({}, [fault("put", { type: "notVisible", seconds: 200 })]);
  expect(await late.ask("late-visibility")).toMatchObject({ "late-visibility": { result: "fails" }, left: [] });
  expect([...restarting.names(), ...late.names()]).toEqual([]);
});

test("a group that shows up after its removal is removed all the same", async () => {
  const { ask, names } = await azure({}, [
    fault("put", { type: "notVisible", seconds: 100 }),
    fault("logs", { type: "status", status: 500 }),
  ]);
  expect(await ask("log-tail")).toMatchObject({ "log-tail": { result: "not run" }, left: [] });
  expect(names()).toEqual([]);
});

test("a refused create, and a silent Azure, are reported and end nothing else", async () => {
  const refused = await azure({}, [fault("put", { type: "status", status: 403, code: "AuthorizationFailed" })]);
  expect(await refused.ask("log-tail", "spot-eviction")).toMatchObject({
    "log-tail": { result: "not run", because: expect.stringContaining("HTTP 403 AuthorizationFailed") as unknown },
    "spot-eviction": { result: "not run" },
  });
  const silent = await azure({}, [fault("get", { type: "status", status: 503 })]);
  const outcome = await silent.ask("log-tail");
  expect(outcome).toMatchObject({ "log-tail": { result: "not run", because: "it was not answered within 300 s" } });
  expect(outcome.left).toHaveLength(1);
});

test("whoever stops it loses no group", async () => {
  const { ask, names, interruption, world } = await azure();
  const { sleep } = world;
  let waits = 0;
  Object.assign(world, {
    sleep: (ms: number) => {
      if (++waits === 2) interruption.abort();
      return sleep(ms);
    },
  });
  expect(await ask("never-restarts", "log-tail")).toEqual({ left: [], interrupted: true });
  expect(names()).toEqual([]);
});

test("leftovers are its own alone, and those of the last hour only when asked for", async () => {
  const { aci, world, clock, names } = await azure();
  const make = (name: string, tags: Record<string, string>) =>
    wire(aci.url, "PUT", `containerGroups/${name}`, { ...definition(), tags });
  const at = (hoursAgo: number): string => `${new Date(clock.now() - hoursAgo * 3600 * second).toISOString()}/1234`;
  await make("aciproxy-verify-old-0", { "aciproxy-verify": at(2) });
  await make("aciproxy-verify-new-0", { "aciproxy-verify": at(0.5) });
  await make("aciproxy-verify-theirs", { "aciproxy-verify": "no time" });
  await make("aciproxy-verify-untagged", {});
  await make("somebody-elses", { "aciproxy-verify": at(2) });
  expect(await removeLeftovers(world, false)).toEqual(["aciproxy-verify-old-0"]);
  expect(await removeLeftovers(world, true)).toEqual(["aciproxy-verify-new-0"]);
  expect(names().sort()).toEqual(["aciproxy-verify-theirs", "aciproxy-verify-untagged", "somebody-elses"]);
  aci.faults.add(fault("list", { type: "status", status: 500 }));
  expect(await removeLeftovers(world, true)).toBeUndefined();
});

describe("The script", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const script = (url: string, ...words: string[]) => {
    const flags = ["--subscription", SUBSCRIPTION, "--resource-group", GROUP, ...words];
    const child = spawn(process.execPath, ["--import", "tsx", "scripts/verify-azure.ts", ...flags], {
      cwd: root,
      env: { ...process.env, AZURE_RESOURCE_MANAGER_ENDPOINT: url },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
    return {
      child,
      ended: ended.then(([[exitCode], stdout, stderr]) => ({ exitCode: exitCode as number | null, stdout, stderr })),
    };
  };
  const real = async () => {
    const aci = await serve({ engine: "simulated", simulated: { SIM_RUN_SECONDS: "600" }, limits: false });
    const names = () => [...aci.provider.all()].map(({ id }) => id.name);
    const oneGroup = () => until("a group", () => (names().length === 1 ? true : undefined), 60_000);
    return { url: aci.url, names, oneGroup };
  };

  test("makes nothing without --yes, and says what a question costs", async () => {
    const { url, names } = await real();
    const { exitCode, stdout } = await script(url).ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/log-tail +1 group, 1 vCPU[^]*at most \$0\.\d\d in all[^]*Add --yes to ask/);
    expect(names()).toEqual([]);
  });

  test("removes its groups on Ctrl-C", async () => {
    const { url, names, oneGroup } = await real();
    const { child, ended } = script(url, "--yes", "--only", "never-restarts");
    await oneGroup();
    child.kill("SIGINT");
    const { exitCode, stderr } = await ended;
    expect([exitCode, stderr]).toEqual([130, expect.stringContaining("Removing the groups")]);
    expect(names()).toEqual([]);
  });

  test("that was killed is cleaned up after by --clean", async () => {
    const { url, names, oneGroup } = await real();
    const { child, ended } = script(url, "--yes", "--only", "never-restarts");
    await oneGroup();
    child.kill("SIGKILL");
    await ended;
    expect(names()).toHaveLength(1);
    const { exitCode, stdout } = await script(url, "--clean").ended;
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^Removed aciproxy-verify-/)]);
    expect(names()).toEqual([]);
  });

  test("says in one line what is wrong", async () => {
    const { url } = await real();
    const misused = script(url, "--only", "everything").ended;
    const alone = script("http://127.0.0.1:9").ended;
    expect(await misused).toMatchObject({ exitCode: 1, stdout: "" });
    expect((await misused).stderr).toMatch(/^No question everything: there are log-tail, .*\n$/);
    expect(await alone).toMatchObject({ exitCode: 1, stdout: "" });
    expect((await alone).stderr).toMatch(/^Resource group rg-test can't be read: .+\n$/);
  });
});
