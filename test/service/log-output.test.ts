/** What the log says of a job's life, of the service's health, and of who changed what. */
import { describe, expect, it } from "vitest";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { pause } from "../../src/http/operate/pause.ts";
import { resume } from "../../src/http/operate/resume.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { jsonLog, loggingThrough, type LogLevel } from "../../src/shared/base/log.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
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
  await ask(resume(deps), { text: "{}" });
  await del(deps, "a");
  await ask(cancelMany(deps), { text: '{"state": "active"}' });
  const shown = of("audit").map(({ action, caller, job }) => ({ action, caller, job }));
  expect(shown.every(({ caller }) => caller === "a key")).toBe(true);
  expect(shown.map(({ action, job }) => [action, job])).toEqual([
    ["pause", undefined],
    ["resume", undefined],
    ["cancel", ids[0]],
    ["cancel", expect.toSatisfy((id) => id === ids[1] || id === ids[2])],
    ["cancel", expect.toSatisfy((id) => id === ids[1] || id === ids[2])],
    ["cancel many", undefined],
  ]);
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
