/**
 * What the app depends on takes very long, or never answers: each invocation ends in time, well before the platform's
 * `functionTimeout`, what it could not do goes on later, and other jobs go on meanwhile.
 */
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { startVault } from "../../local/vault/vault.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { HttpRequest, InvocationContext } from "@azure/functions";
import { enqueueingSweep } from "../../src/http/lib/second-clock.ts";
import { health, healthDetails } from "../../src/http/health.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { fakeTimers } from "../kit/fake-timers.ts";
import { startProxy, type Gate, type ProxiedCall } from "../kit/proxy.ts";
import { serve } from "../kit/serve.ts";
import {
  countedCalls,
  ask,
  deliver,
  follow,
  get,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

vi.setConfig({ testTimeout: 120_000 });
useAzurite();

const realTimeout = globalThis.setTimeout;
const aMoment = (): Promise<void> => new Promise((resolve) => void realTimeout(resolve, 10));

// They go on with real time too: what a library tries again between two tests of a condition is not to wait for ever.
beforeEach(() => fakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"], shouldAdvanceTime: true }));
afterEach(() => void vi.useRealTimers());

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; !condition(); n++) {
    if (n > 2000) throw new Error("waited in vain");
    await aMoment();
  }
}

/**
 * Lets time pass, by the app's clock and its timers alike, while all that the app does is to wait for what is slow.
 *
 * @returns what came of the work, and how long it took
 */
async function passTime<T>(bench: Bench, work: Promise<T>): Promise<{ result: T; took: number }> {
  const { clock } = bench;
  const begun = clock.now();
  const progress = { over: false };
  void work.catch(() => undefined).finally(() => (progress.over = true));
  for (let before = -1; !progress.over;) {
    await aMoment();
    const all = bench.calls();
    const isQuiet = all.length === before && all.every(({ endedAt }) => endedAt !== Infinity);
    before = all.length;
    if (!isQuiet) continue;
    clock.advance(second);
    await vi.advanceTimersByTimeAsync(second);
    if (clock.now() > begun + 5 * minute) throw new Error("The platform ends an invocation that takes that long.");
  }
  return { result: await work, took: clock.now() - begun };
}

it("a Key Vault that never answers: a call is refused, a message waits as a row, health answers, and running jobs end", async () => {
  const vault = await startVault({ keys: ["seal"] });
  const hung = { now: false };
  const proxy = await startProxy("vault", Number(new URL(vault.url).port), {
    before: () => (hung.now ? new Promise(() => undefined) : "pass"),
  });
  onTestFinished(async () => {
    await proxy.stop();
    await vault.stop();
  });
  const bench = await openBench({ SEAL_KEY_ID: `${proxy.url}/keys/seal` }, countedCalls);
  const runs = await post(bench.deps, yaml("runs", { seconds: 60 }));
  await follow(bench, runs.id, ({ phase }) => phase.state === "Running");
  hung.now = true;
  const deps = await bench.again(); // it has asked the vault for nothing yet

  const refused = await passTime(bench, post(deps, yaml("called")));
  expect(refused.result).toMatchObject({ status: 503, body: { code: "SealKeyUnavailable" } });
  expect(refused.took).toBeLessThan(minute);
  const delivered = await passTime(bench, deliver(deps, yaml("posted"), { id: "posted" }));
  expect(delivered.took).toBeLessThan(minute);
  const { id } = await get(deps, "posted");
  expect(await jobOf(deps, id)).toMatchObject({
    awaitsDefinition: true,
    phase: { state: "Queued", waiting: { reason: "SealKeyUnavailable" } },
  });
  // No time has to pass for it.
  expect((await ask(healthDetails(deps), {})).body).toMatchObject({ activeJobs: 2 });

  for (let looks = 0; looks < 20; looks++) {
    const { phase, lookAt } = await jobOf(deps, runs.id);
    if (hasEnded(phase) && phase.tidy) break;
    bench.clock.advance(Math.max(0, lookAt - bench.clock.now()));
    expect((await passTime(bench, reconcile(deps, runs.id, { at: undefined }))).took).toBeLessThan(2 * minute);
  }
  expect((await jobOf(deps, runs.id)).phase.state).toBe("Succeeded");
  hung.now = false;
  await deliver(deps, yaml("posted"), { id: "posted", dequeueCount: 2 });
  expect((await follow({ ...bench, deps }, id)).phase.state).toBe("Succeeded");
});

it("a storage that never answers: health says so within 2 s, and the second clock holds it up no longer", async () => {
  const silent = { now: false };
  const bench = await openBench({}, { before: () => (silent.now ? new Promise(() => undefined) : "pass") });
  silent.now = true;
  const before = bench.calls().length;
  const handler = enqueueingSweep(bench.deps, health(bench.deps));
  const request = new HttpRequest({ method: "GET", url: "http://localhost/api/health" });
  const [progress, begun] = [{ over: false }, performance.now()];
  const reply = Promise.resolve(handler(request, new InvocationContext())).finally(() => (progress.over = true));
  await until(() => bench.calls().length >= before + 2);
  await vi.advanceTimersByTimeAsync(2 * second);
  await until(() => progress.over);
  expect(performance.now() - begun).toBeLessThan(10 * second); // a call to a table is given up after 15 s
  expect(await reply).toMatchObject({ status: 503 });
  await vi.advanceTimersByTimeAsync(minute);
});

it("callers' addresses and queues that never answer, or a byte at a time: tried again later, and no other job waits", async () => {
  const isSlow = { now: true };
  const called: string[] = [];
  const port = await serve((request, response) => {
    called.push(request.url ?? "");
    if (!isSlow.now) response.end();
    else if (request.url === "/drips") response.socket?.write("HTTP/1.1 2");
  });
  const isReply = ({ service, url }: ProxiedCall): boolean => service === "queue" && url.pathname.includes("/answers/");
  const gate: Gate = {
    before: (call) => {
      if (!isSlow.now || !isReply(call)) return "pass";
      called.push("a reply");
      return new Promise(() => undefined);
    },
  };
  const whole = await openBench({ CALLBACK_HOSTS: "localhost", REPLY_QUEUES: "answers" }, gate);
  const bench = { ...whole, calls: () => whole.calls().filter((call) => !isReply(call)) };
  const { deps, clock } = bench;
  await bench.storage.queues.getQueueClient("answers").create();
  const reader = { version: 1, definition: yaml("reader"), replyTo: { queue: "answers" } };
  const submitted = {
    silent: () => post(deps, `${yaml("silent")}\ncallBackUri: http://localhost:${port}/silent`),
    drips: () => post(deps, `${yaml("drips")}\ncallBackUri: http://localhost:${port}/drips`),
    reader: () => deliver(deps, reader, { id: "reader" }),
  };
  for (const [name, submit] of Object.entries(submitted)) {
    await submit();
    const { id } = await get(deps, name);
    const before = called.length;
    const ends = follow(bench, id, ({ phase }) => hasEnded(phase));
    await until(() => called.length > before);
    const other = await post(deps, yaml(`beside-${name}`));
    expect((await follow(bench, other.id)).phase.state).toBe("Succeeded");
    const { result, took } = await passTime(bench, ends);
    expect(took).toBeLessThan(minute);
    const told = (job: Job) => (name === "reader" ? job.reply : job.callback);
    expect([result.phase.state, told(result)]).toMatchObject(["Succeeded", { state: "pending", tries: 1 }]);

    isSlow.now = false;
    clock.advance(2 * minute);
    await reconcile(deps, id, { at: undefined });
    expect(told(await jobOf(deps, id)).state).toBe("delivered");
    isSlow.now = true;
  }
});

it("forty containers whose logs take 9 s each to read: captured in several goes, and no other job waits", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock } = bench;
  const more = Array.from(
    { length: 39 },
    (_, n) => `    - name: side${n}
      properties:
        image: registry.example/team/side:1
        resources: {requests: {cpu: 0.1, memoryInGB: 0.1}}
        environmentVariables: [{name: SIM_RUN_SECONDS, value: "10"}, {name: SIM_OUTPUT, value: "side ${n}\\n"}]
`,
  ).join("");
  const { id } = await post(deps, yaml("forty", { seconds: 10, more }));
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  bench.aci.faults.add({
    match: { kind: "logs", name: "^forty$" },
    effect: { type: "slow", seconds: 9 },
    probability: 1,
  });
  clock.advance(20 * second);
  const begun = clock.now();
  const first = reconcile(deps, id, { at: undefined });
  const other = await post(deps, yaml("beside"));
  expect((await follow(bench, other.id)).phase.state).toBe("Succeeded");
  const goes = [(await passTime(bench, first)).took];
  for (;;) {
    const { phase, lookAt } = await jobOf(deps, id);
    if (hasEnded(phase) && phase.tidy) break;
    clock.advance(Math.max(0, lookAt - clock.now()));
    goes.push((await passTime(bench, reconcile(deps, id, { at: undefined }))).took);
    if (goes.length > 20) throw new Error("The job does not end.");
  }
  expect(Math.max(...goes)).toBeLessThan(minute);
  expect(goes.filter((took) => took >= 9 * second).length).toBeGreaterThan(1);
  const { phase } = await jobOf(deps, id);
  expect(phase.state).toBe("Succeeded");
  expect(hasEnded(phase) && phase.finishedAt - begun).toBeLessThan(3 * minute);
  const shown = z.record(z.string(), z.looseObject({ log: z.string(), output: z.string() }));
  const containers = shown.parse((await get(deps, id)).body["containers"]);
  expect(Object.values(containers).map(({ log }) => log)).toEqual(Array.from({ length: 40 }, () => "complete"));
  expect(containers["side38"]?.output).toBe("side 38\n");
});
