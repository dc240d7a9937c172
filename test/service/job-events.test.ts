/** The operator's endpoints, an Event Grid topic and a webhook, get the events of every job: in order, each at least once, and no job waits for them. */
import { z } from "zod";
import { describe, expect, it, onTestFinished } from "vitest";
import { day, hour, minute, second } from "../../src/shared/base/duration.ts";
import { groupName } from "../../src/shared/base/ids.ts";
import { jsonLog } from "../../src/shared/base/log.ts";
import { healthDetails } from "../../src/http/health.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { startReceiver, type Receiver } from "../kit/receiver.ts";
import {
  countedCalls,
  ask,
  deliver,
  del,
  follow,
  get,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

const cloudEvents = z.array(
  z.looseObject({
    specversion: z.literal("1.0"),
    type: z.string(),
    source: z.string(),
    subject: z.string(),
    id: z.string(),
    time: z.string(),
    sequence: z.string(),
    data: z.looseObject({ id: z.string() }),
  }),
);
type Event = z.infer<typeof cloudEvents>[number];

async function listening(): Promise<Receiver> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return receiver;
}

/** A bench with a topic and a webhook, which only the ends of `NOTIFY_ON` reach. */
async function withEndpoints(environment: Record<string, string> = {}) {
  const [topic, chat] = [await listening(), await listening()];
  const secret = "a-token-nobody-may-read";
  const lines: string[] = [];
  const bench = await openBench(
    {
      EVENT_TOPIC_ENDPOINT: `${topic.url}/api/events`,
      NOTIFY_WEBHOOK: `${chat.url}/hook?sig=${secret}`,
      ...environment,
    },
    {},
    { log: jsonLog((_, line) => void lines.push(line)) },
  );
  return { ...bench, topic, chat, secret, lines };
}

const eventsAt = ({ taken }: Receiver): Event[] => taken.flatMap(({ body }) => cloudEvents.parse(body));
const kindsAt = (receiver: Receiver): string[] =>
  eventsAt(receiver).map(({ type }) => type.replace(/^aciproxy\.job\.|\.v1$/g, ""));

/** A pass of the sweep each minute, for this long. */
async function sweepFor(bench: Bench, time: number): Promise<void> {
  for (const until = bench.clock.now() + time; bench.clock.now() < until;) {
    bench.clock.advance(minute);
    await runPass(bench.deps, "timer");
  }
}

const healthOf = async (bench: Bench) => (await ask(healthDetails(bench.deps), {})).body;

describe("an Event Grid topic", () => {
  it("hears that a job was accepted, started and ended, as CloudEvents that can be put in order", async () => {
    const bench = await withEndpoints();
    const { id } = await post(bench.deps, yaml("nightly"), "source=factory/etl/run-1/step&tags=team=a");
    await follow(bench, id);
    const events = eventsAt(bench.topic);
    expect(kindsAt(bench.topic)).toEqual(["accepted", "started", "finished"]);
    const { id: installation } = await bench.deps.control.installation();
    for (const event of events)
      expect(event).toMatchObject({
        source: `/aciproxy/${installation}`,
        subject: "jobs/nightly",
        datacontenttype: "application/json",
        data: {
          id,
          name: "nightly",
          pipeline: "etl",
          pipelineRunId: "run-1",
          statusUrl: expect.stringContaining(id) as string,
        },
      });
    expect(events[2]?.data).toMatchObject({ state: "Succeeded", reason: "Completed", exitCode: 0, attempt: 1 });
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted());
    expect(new Set(events.map((event) => event.id)).size).toBe(3);
    expect(bench.topic.tries[0]?.headers["content-type"]).toBe("application/cloudevents-batch+json; charset=utf-8");
    // Nobody asked to hear of a success in the chat.
    expect(bench.chat.tries).toEqual([]);
  });

  it("hears of each further attempt, and why", async () => {
    const bench = await withEndpoints();
    const { id } = await post(bench.deps, yaml("again", { exitCode: 3 }), "retries=2");
    await follow(bench, id);
    expect(kindsAt(bench.topic)).toEqual([
      "accepted",
      ...["started", "retrying"],
      ...["started", "retrying"],
      "started",
      "finished",
    ]);
    const retrying = eventsAt(bench.topic).filter(({ type }) => type.includes("retrying"));
    expect(retrying.map(({ data }) => data)).toMatchObject([
      { state: "Queued", attempt: 2, reason: "ExitCode" },
      { state: "Queued", attempt: 3, reason: "ExitCode" },
    ]);
    expect(eventsAt(bench.topic).at(-1)?.data).toMatchObject({ state: "Failed", exitCode: 3, fault: "program" });
  });

  it("hears of a job that is canceled before it began, and of a message that can never work", async () => {
    const bench = await withEndpoints();
    const { id } = await post(bench.deps, yaml("unwanted"));
    await del(bench.deps, id);
    await follow(bench, id);
    expect(kindsAt(bench.topic)).toEqual(["accepted", "finished"]);
    await deliver(bench.deps, "name: broken");
    expect(eventsAt(bench.topic).at(-1)).toMatchObject({ subject: "jobs/broken", data: { state: "Failed" } });
  });

  it("is sent each event once, and costs a job no call to storage", async () => {
    const plain = await openBench({}, countedCalls);
    const bench = await withEndpoints();
    const cost = async (of: Bench): Promise<number> => {
      const before = of.calls().length;
      const { id } = await post(of.deps, yaml("cheap"));
      await follow(of, id);
      return of.calls().length - before;
    };
    await cost(plain);
    await cost(bench);
    const [without, withBoth] = [await cost(plain), await cost(bench)];
    expect(new Set(eventsAt(bench.topic).map(({ id }) => id)).size).toBe(eventsAt(bench.topic).length);
    // The result of the job, which its last event has; and, at most once in 15 s of time that passes, the state of both endpoints.
    expect(withBoth - without).toBeLessThanOrEqual(1 + 2 * 2);
  });
});

describe.each([
  ["answers 500", 500],
  ["is silent", "silence"],
  ["refuses us", 403],
] as const)("an endpoint that %s", (_, answer) => {
  it("delays no job, is tried once a minute, and gets all in order when it answers", { timeout: 120_000 }, async () => {
    const bench = await withEndpoints({ NOTIFY_ON: "succeeded" });
    bench.topic.answer = answer;
    const ids = [];
    for (const name of ["first", "second", "third", "fourth"]) {
      const { id } = await post(bench.deps, yaml(name));
      ids.push(id);
      const { phase } = await follow(bench, id);
      expect(phase).toMatchObject({ state: "Succeeded", tidy: true });
      expect(await get(bench.deps, id)).toMatchObject({ status: 200 });
      bench.clock.advance(second);
    }
    // The other endpoint notices nothing.
    expect(bench.chat.taken).toHaveLength(4);
    await runPass(bench.deps, "timer");
    const rests = answer === "silence" ? "ETIMEDOUT|AbortError|ABORT_ERR" : `HTTP ${answer}`;
    const topic = { ok: false, since: expect.any(String) as string, error: expect.stringMatching(rests) as string };
    expect(await healthOf(bench)).toMatchObject({
      eventTopic: topic,
      webhook: { ok: true },
      undeliveredNotifications: 4,
    });
    const before = bench.topic.tries.length;
    if (answer !== "silence") {
      await sweepFor(bench, 10 * minute);
      expect(bench.topic.tries.length - before).toBeLessThanOrEqual(11);
    }
    bench.topic.answer = 200;
    await sweepFor(bench, 2 * minute);
    expect(kindsAt(bench.topic)).toEqual(ids.flatMap(() => ["accepted", "started", "finished"]));
    expect(eventsAt(bench.topic).map(({ data }) => data.id)).toEqual(ids.flatMap((id) => [id, id, id]));
    expect(await healthOf(bench)).toMatchObject({ eventTopic: { ok: true }, undeliveredNotifications: 0 });
  });
});

it("an event that nobody took for a day is dropped and counted, and the later ones arrive", async () => {
  const bench = await withEndpoints();
  bench.topic.answer = 500;
  const { id } = await post(bench.deps, yaml("early"));
  await follow(bench, id);
  bench.clock.advance(day + hour);
  const later = await post(bench.deps, yaml("late"));
  await follow(bench, later.id);
  bench.topic.answer = 200;
  await sweepFor(bench, 2 * minute);
  expect(new Set(eventsAt(bench.topic).map(({ data }) => data.id))).toEqual(new Set([later.id]));
  expect(await healthOf(bench)).toMatchObject({ undeliveredNotifications: 0, droppedNotifications: 3 });
});

it("an instance that dies between the end of a job and its event leaves the event to the next", async () => {
  const bench = await withEndpoints();
  const { id } = await post(bench.deps, yaml("orphaned"));
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  bench.clock.advance(20 * second);
  // It saves the end, and is gone.
  const save = bench.deps.jobs.save.bind(bench.deps.jobs);
  bench.deps.jobs.save = async (stored, job, sealed) => {
    const saved = await save(stored, job, sealed);
    if (job.phase.state === "Succeeded") throw new Error("killed");
    return saved;
  };
  await expect(follow(bench, id)).rejects.toThrow("killed");
  expect(kindsAt(bench.topic)).toEqual(["accepted", "started"]);
  bench.deps.jobs.save = save;
  await follow(bench, id);
  expect(kindsAt(bench.topic)).toEqual(["accepted", "started", "finished"]);
  expect((await jobOf(bench.deps, id)).phase).toMatchObject({ state: "Succeeded", tidy: true });
});

it("a job is forgotten only when the sweep knows what a slow endpoint has not taken", async () => {
  const bench = await withEndpoints();
  bench.topic.answer = "silence";
  // Its row is the last that happens to it.
  await deliver(bench.deps, "name: broken");
  const {
    job: { id },
  } = (await bench.deps.jobs.peekNewest(groupName("broken"))) ?? expect.fail("no job");
  expect(await bench.deps.jobs.index.has(id)).toBe(false);
  const paths = bench.calls().map(({ method, url, body }) => `${method} ${decodeURIComponent(url.pathname)} ${body}`);
  const noted = paths.findLastIndex((path) => path.includes("PartitionKey='undelivered'"));
  const dropped = paths.findIndex((path) => path.startsWith("DELETE") && path.includes(`job_${id}`));
  expect(noted).toBeGreaterThan(0);
  expect(noted).toBeLessThan(dropped);
});

describe("a webhook", () => {
  const message = z.looseObject({ text: z.string(), type: z.string(), attachments: z.array(z.looseObject({})) });

  it("gets a message about a failure, that Teams and Slack can show, and no secret reaches row or log", async () => {
    const bench = await withEndpoints();
    const { id } = await post(bench.deps, yaml("broken", { exitCode: 137 }), "source=factory/etl/run-1/step");
    await follow(bench, id);
    expect(bench.chat.taken).toHaveLength(1);
    const sent = message.parse(bench.chat.taken[0]?.body);
    expect(sent.text).toMatch(/^broken Failed: app exit 137 OutOfMemory .* http:\S+\/api\/dashboard#\/job\//);
    expect(sent.attachments).toMatchObject([
      { contentType: "application/vnd.microsoft.card.adaptive", content: { type: "AdaptiveCard", version: "1.4" } },
    ]);
    expect(JSON.stringify(sent.attachments)).toContain("Pipeline: etl");
    const row = JSON.stringify(await bench.deps.jobs.find(id));
    for (const text of [row, ...bench.lines]) expect(text).not.toContain(bench.secret);
  });

  it("that fails is tried again, says nothing of its address, and the message comes once", async () => {
    const bench = await withEndpoints();
    bench.chat.answer = 500;
    const { id } = await post(bench.deps, yaml("broken", { exitCode: 1 }));
    await follow(bench, id);
    await sweepFor(bench, 5 * minute);
    bench.chat.answer = 200;
    await sweepFor(bench, 2 * minute);
    expect(bench.chat.taken).toHaveLength(1);
    expect(bench.lines.some((line) => line.includes("events not delivered"))).toBe(true);
    for (const line of bench.lines) expect(line).not.toMatch(/127\.0\.0\.1|sig=|\/hook/);
  });

  it("hears of the ends that NOTIFY_ON names, and of no others", async () => {
    const bench = await withEndpoints({ NOTIFY_ON: "canceled, Succeeded" });
    for (const [name, options] of [
      ["fine", {}],
      ["bad", { exitCode: 1 }],
    ] as const) {
      const { id } = await post(bench.deps, yaml(name, options));
      await follow(bench, id);
    }
    const { id } = await post(bench.deps, yaml("unwanted"));
    await del(bench.deps, id);
    await follow(bench, id);
    const texts = bench.chat.taken.map(({ body }) => message.parse(body).text);
    expect(texts.map((text) => text.split(" http")[0])).toMatchObject([
      expect.stringContaining("fine"),
      expect.stringContaining("unwanted"),
    ]);
  });
});
