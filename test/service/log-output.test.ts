/** What the log says of a job's life, of the service's health, and of who changed what. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, it, onTestFinished } from "vitest";
import { guards } from "../../src/http/lib/auth.ts";
import { logs } from "../../src/http/logs.ts";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { pause } from "../../src/http/operate/pause.ts";
import { takePoison } from "../../src/http/operate/poison.ts";
import { resume } from "../../src/http/operate/resume.ts";
import { trigger } from "../../src/http/trigger.ts";
import { deriveJobId, type JobId } from "../../src/shared/base/ids.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { jsonLog, loggingThrough, type LogLevel } from "../../src/shared/base/log.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { audience, claimsOf, startAuthority, tenant } from "../kit/authority.ts";
import { ask, del, follow, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

type Line = Readonly<Record<string, unknown>>;

/** The bench with its log, as lines. */
function logged(bench: Bench): {
  readonly deps: Deps;
  readonly lines: Line[];
  readonly of: (event: string) => readonly Line[];
} {
  const lines: Line[] = [];
  const log = jsonLog((_level: LogLevel, line) => void lines.push(JSON.parse(line) as Line)); // our own line
  return { deps: { ...bench.deps, log }, lines, of: (event) => lines.filter((line) => line["event"] === event) };
}

it("every line of a job's life names the job, its attempt, name, pipeline and trace", async () => {
  const bench = await openBench();
  const { deps, lines, of } = logged(bench);
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const { id } = await post(deps, yaml("told"), "source=factory/nightly/run-1/copy", { traceparent });
  await follow({ ...bench, deps }, id);
  const common = { job: id, name: "told", pipeline: "nightly", trace: "4bf92f3577b34da6a3ce929d0e0e4736" };
  expect(of("job accepted")).toEqual([{ level: "info", event: "job accepted", ...common, attempt: 1, via: "http" }]);
  expect(of("job moved").map(({ to }) => to)).toEqual(["Provisioning", "Pending", "Running", "Succeeded"]);
  for (const line of lines) expect(line).toMatchObject({ ...common, attempt: 1 });
});

describe("health", () => {
  it("is one line a minute with its numbers, whoever runs the sweep", async () => {
    const bench = await openBench();
    const { deps, of } = logged(bench);
    await ask(pause(deps), { text: '{"reason": "night work"}' });
    await post(deps, yaml("waits"));
    await runPass(deps, "timer");
    await runPass(deps, "queue");
    expect(of("health")).toHaveLength(1);
    for (let minutes = 0; minutes < 3; minutes++) {
      bench.clock.advance(60_000);
      await runPass(deps, "timer");
    }
    expect(of("health")).toHaveLength(4);
    expect(of("health").at(-1)).toMatchObject({
      level: "info",
      status: "ok",
      activeJobs: 1,
      oldestQueuedSeconds: 180,
      queueLength: 1,
      poisonLength: 0,
      leakedGroups: 0,
      unreadableRows: 0,
      paused: true,
      timerOk: true,
    });
  });

  it("is an error while it is not well, and names the cause", async () => {
    const bench = await openBench();
    const { deps, of } = logged(bench);
    await runPass({ ...deps, settings: { ...deps.settings, faults: ["A setting is wrong."] } }, "timer");
    expect(of("health").at(-1)).toMatchObject({ level: "error", status: "misconfigured", settingFaults: 1 });
  });
});

it("who changes something is in a line of its own, a bulk call in one for the call and one for each job", async () => {
  const bench = await openBench();
  const { deps, of } = logged(bench);
  const ids: JobId[] = [];
  for (const name of ["a", "b", "c"]) ids.push((await post(deps, yaml(name, { seconds: 600 }))).id);
  await ask(pause(deps), { text: '{"reason": "night work"}' });
  await ask(resume(deps), { text: '{"reason": "work is done"}' });
  await del(deps, "a");
  await ask(cancelMany(deps), { text: '{"state": "active"}' });
  const shown = of("audit").map(({ action, caller, job }) => ({ action, caller, job }));
  expect(shown.every(({ caller }) => caller === "a key")).toBe(true);
  expect(of("audit").flatMap(({ reason }) => reason ?? [])).toEqual(["night work", "work is done"]);
  expect(shown.map(({ action, job }) => [action, job])).toEqual([
    ["pause", undefined],
    ["resume", undefined],
    ["cancel", ids[0]],
    ["cancel", expect.toSatisfy((id) => id === ids[1] || id === ids[2])],
    ["cancel", expect.toSatisfy((id) => id === ids[1] || id === ids[2])],
    ["cancel many", undefined],
  ]);
});

it("a replay or drop of poison messages has a line for the call and one for each message, with its job where that is known", async () => {
  const bench = await openBench();
  const { deps, of } = logged(bench);
  const poison = bench.storage.queues.getQueueClient(`${queueNames.jobs}-poison`);
  await poison.createIfNotExists();
  const { messageId, insertedOn } = await poison.sendMessage(yaml("first"));
  await ask(takePoison(deps, "replay"), { text: '{"all": true}' });
  const second = await poison.sendMessage("no job");
  await ask(takePoison(deps, "drop"), { text: '{"all": true}' });
  expect(of("audit").map(({ action, messageId, job, taken }) => ({ action, messageId, job, taken }))).toEqual([
    { action: "replay poison message", messageId, job: deriveJobId(insertedOn.getTime(), messageId) },
    { action: "replay poison messages", taken: 1 },
    { action: "drop poison message", messageId: second.messageId },
    { action: "drop poison messages", taken: 1 },
  ]);
});

describe("who reads the logs of a job", () => {
  it("is in a line when the platform does not say whose the key is", async () => {
    const bench = await openBench();
    const { deps, of } = logged(bench);
    const { id } = await post(deps, yaml("read"));
    await ask(logs(deps), { params: { idOrName: "read" }, query: "format=json" });
    expect(of("audit")).toMatchObject([{ action: "read logs", caller: "a key", job: id, name: "read", attempt: 1 }]);
  });

  it("is in a line when it is another application than the one that submitted it, and only then", async () => {
    const authority = await startAuthority();
    onTestFinished(() => authority.stop());
    const bench = await openBench({
      AUTH_MODE: "entra",
      ENTRA_TENANT_ID: tenant,
      ENTRA_AUDIENCE: audience,
      ENTRA_AUTHORITY: authority.url,
    });
    const { deps, of } = logged(bench);
    const allow = guards(deps);
    const [owner, other] = ["11111111-aaaa-bbbb-cccc-000000000001", "11111111-aaaa-bbbb-cccc-000000000002"];
    const asking = async (app: string, role: string): Promise<Record<string, string>> => ({
      authorization: `Bearer ${await authority.sign(claimsOf(app, role, deps.now()))}`,
    });
    const headers = await asking(owner, "Job.Submit");
    const body = { string: yaml("guarded") };
    const submitting = new HttpRequest({ method: "POST", url: "http://localhost/api/trigger", headers, body });
    await allow("submit", trigger(deps)).handler(submitting, new InvocationContext());
    const read = async (app: string): Promise<unknown> => {
      const params = { idOrName: "guarded" };
      const reading = { method: "GET", url: "http://localhost/api/logs/guarded", params } as const;
      const request = new HttpRequest({ ...reading, headers: await asking(app, "Job.Read") });
      return allow("read", logs(deps)).handler(request, new InvocationContext());
    };
    expect(await read(owner)).toMatchObject({ status: 200 });
    expect(of("audit")).toEqual([]);
    expect(await read(other)).toMatchObject({ status: 200 });
    expect(of("audit")).toMatchObject([{ action: "read logs", caller: other, name: "guarded" }]);
  });
});

it("lines of an invocation are written through it", async () => {
  const bench = await openBench();
  const through: string[] = [];
  const stdout: string[] = [];
  const deps = { ...bench.deps, log: jsonLog((_level, line) => void stdout.push(line)) };
  const write = (_level: LogLevel, line: string): void => void through.push(line);
  await loggingThrough(write, () => post(deps, yaml("through")));
  expect([through.length, stdout]).toEqual([1, []]);
});
