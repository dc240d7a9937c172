import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { call, ended, groupsOf, startService, type Reply, type Service } from "./kit.ts";
import { definition } from "../simulated.ts";

let service: Service;

beforeAll(async () => {
  service = await startService({ REPLY_QUEUES: "answers", CALLBACK_HOSTS: "localhost,127.0.0.1" });
}, 90_000);

afterAll(async () => service.stop());

const submit = (body: string, query = "polling=true", headers: Record<string, string> = {}): Promise<Reply> =>
  call(service, "POST", `trigger?${query}`, body, headers);

async function run(body: string, query = "polling=true"): Promise<Reply> {
  const accepted = await submit(body, query);
  expect(accepted.status, JSON.stringify(accepted)).toBe(202);
  return ended(service, accepted.location ?? "");
}

/** A line of the embedded host, as `context.log` writes one. */
const hostLine = z.object({
  level: z.string(),
  category: z.string(),
  message: z.string(),
  function: z.string(),
  invocationId: z.string(),
});

const gone = (id: string): Promise<Reply> =>
  vi.waitFor(
    async () => {
      const status = await call(service, "GET", `status/${id}`);
      expect(status.groupDeleted).toBe(true);
      return status;
    },
    { timeout: 60_000, interval: 250 },
  );

describe("by HTTP", () => {
  test("a job ends as Succeeded, with the outputs of its containers, and its group is deleted", async () => {
    const done = await run(definition("plain", { one: { output: "first\n" }, two: { output: "second\n" } }));
    expect(done).toMatchObject({ status: 200, state: "Succeeded", exitCode: 0 });
    expect(done.containers["one"]).toMatchObject({ exit_code: 0, output: "first\n" });
    expect(done.containers["two"]).toMatchObject({ exit_code: 0, output: "second\n" });
    await gone(done.id);
  });

  test("its log lines have their severity, and join the invocation that wrote them", async () => {
    const done = await run(definition("told", { app: { exitCode: 3 } }));
    const lines = (await service.hostLog()).split("\n").filter((line) => line.includes(done.id));
    const shown = lines.map((line) => hostLine.parse(JSON.parse(line)));
    expect(shown.map(({ category }) => category)).toEqual(expect.arrayContaining(["Function.trigger.User"]));
    const moved = shown.filter(({ message }) => message.includes('"event":"job moved"'));
    expect(moved.length).toBeGreaterThan(2);
    for (const { level, message } of moved) {
      expect(level).toBe("information");
      expect(JSON.parse(message)).toMatchObject({ level: "info", job: done.id, name: "told" });
    }
  });

  test("a container that fails makes the job Failed with its exit code, and the message says so", async () => {
    const failed = await run(definition("fails", { app: { exitCode: 3 } }), "polling=true&failureStatus=422");
    expect(failed).toMatchObject({ status: 422, state: "Failed", reason: "ExitCode", exitCode: 3 });
    expect(failed.message).toBe("fails Failed: app exit 3 ExitCode (program). Look at the container's log.");
  });

  test("a last line of JSON is the job's result", async () => {
    const done = await run(definition("result", { app: { output: 'working\n{"rows":7}\n' } }));
    expect(done.result).toEqual({ rows: 7 });
  });

  test("a delete that polls answers 200 once the group is gone", async () => {
    const accepted = await submit(definition("deleted", { app: { seconds: 600 } }));
    const deleting = await call(service, "DELETE", "delete/Deleted?polling=true");
    expect(deleting.status).toBe(202);
    expect(await ended(service, deleting.location ?? "")).toMatchObject({ status: 200, groupDeleted: true });
    expect(await call(service, "GET", `status/${accepted.id}`)).toMatchObject({
      status: 500,
      state: "Canceled",
      reason: "CanceledByCaller",
    });
  });
});

describe("when a name is in use", () => {
  test.each([
    [200, "one key and one name", "crowd-keyed", "", { "Idempotency-Key": "nightly 2026-11-24" }],
    [60, "one name and onConflict=attach", "crowd-attached", "&onConflict=attach", undefined],
  ])("%d simultaneous POSTs with %s are one job in one group", async (count, _, name, query, headers) => {
    const body = definition(name, { app: { seconds: 600 } });
    const crowd = Array.from({ length: count }, () => submit(body, `polling=true${query}`, headers));
    const replies = await Promise.all(crowd);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    const [id = "", ...others] = new Set(replies.map((reply) => reply.id));
    expect(others).toEqual([]);
    expect(replies.filter(({ attached }) => attached !== true)).toHaveLength(1);
    await vi.waitFor(
      async () => expect(await call(service, "GET", `status/${id}`)).toMatchObject({ state: "Running", attempt: 1 }),
      { timeout: 60_000, interval: 250 },
    );
    const jobs = (await call(service, "GET", `jobs?name=${name}`))["jobs"];
    expect(jobs).toMatchObject([{ id }]);
    const groups = (await groupsOf(service)).filter((group) => group.name.startsWith(name));
    expect(groups).toMatchObject([{ name, tags: { "aciproxy-job": id, "aciproxy-attempt": "1" } }]);
    await call(service, "DELETE", `delete/${id}`);
    expect(await ended(service, `status/${id}`)).toMatchObject({ state: "Canceled", attempt: 1 });
  });

  test("an idempotency key runs a failed job anew, and refuses another definition with the path that differs", async () => {
    const headers = { "Idempotency-Key": "retry me" };
    const first = await submit(definition("keyed", { app: { exitCode: 1 } }), "polling=true", headers);
    await ended(service, first.location ?? "");
    await gone(first.id);
    const again = await submit(definition("keyed", { app: { exitCode: 1 } }), "polling=true", headers);
    expect(again).toMatchObject({ rerunOf: first.id });
    expect(await submit(definition("keyed", { app: { exitCode: 2 } }), "polling=true", headers)).toMatchObject({
      status: 422,
    });
  });
});

describe("by the queue", () => {
  const post = (text: string) => service.queues.getQueueClient("aci-jobs").sendMessage(text);

  test("a definition runs, plain or in base64, and is found by its name", async () => {
    await post(definition("posted-plain"));
    await post(Buffer.from(definition("posted-base64")).toString("base64"));
    expect(await ended(service, "status/posted-plain")).toMatchObject({ state: "Succeeded" });
    expect(await ended(service, "status/posted-base64")).toMatchObject({ state: "Succeeded" });
  });

  test("an envelope's id is the job's, is never run twice, and its replyTo gets the finished event", async () => {
    const id = "6f1d2a53-8a54-4f0e-9d8b-0c1f7a1e55aa";
    const answers = service.queues.getQueueClient("answers");
    await answers.createIfNotExists();
    const message = {
      version: 1,
      id,
      definition: definition("posted-envelope"),
      replyTo: { queue: "answers" },
      correlationId: "c-7",
    };
    await post(JSON.stringify(message));
    expect(await ended(service, `status/${id}`)).toMatchObject({ id, state: "Succeeded" });
    const event = await vi.waitFor(
      async () => {
        const { receivedMessageItems } = await answers.receiveMessages();
        expect(receivedMessageItems).toHaveLength(1);
        return JSON.parse(receivedMessageItems[0]?.messageText ?? "") as unknown;
      },
      { timeout: 30_000, interval: 250 },
    );
    expect(event).toMatchObject({
      type: "aciproxy.job.finished.v1",
      data: { id, correlationId: "c-7", state: "Succeeded" },
    });
    expect(await submit(JSON.stringify(message))).toMatchObject({ id, attached: true });
  });

  test("a message that can never work ends as a Failed row that says why", async () => {
    const id = "6f1d2a53-8a54-4f0e-9d8b-0c1f7a1e55ab";
    await post(JSON.stringify({ version: 1, id, definition: "name: no-properties", options: {} }));
    expect(await ended(service, `status/${id}`)).toMatchObject({ state: "Failed", reason: "InvalidDefinition" });
  });
});

describe("callbacks and operators", () => {
  test("callBackUri is called at the end with what Data Factory's WebHook activity expects", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const called = new Promise<unknown>((resolve) => {
      server.on("request", (request, response) => {
        void json(request).then(resolve);
        response.end();
      });
    });
    const body = {
      ...(JSON.parse(definition("calls-back", { app: { exitCode: 4 } })) as object),
      callBackUri: `http://127.0.0.1:${port}/run`,
    };
    await submit(JSON.stringify(body), "");
    expect(await called).toMatchObject({
      StatusCode: "500",
      Error: { ErrorCode: "ExitCode" },
      Output: { name: "calls-back" },
    });
    server.close();
  });

  test("while paused a job waits with that reason, and goes on after resume", async () => {
    await call(service, "POST", "pause", JSON.stringify({ reason: "maintenance" }));
    const accepted = await submit(definition("paused"));
    await vi.waitFor(
      async () =>
        expect(await call(service, "GET", `status/${accepted.id}`)).toMatchObject({ status: 202, reason: "Paused" }),
      { timeout: 30_000, interval: 250 },
    );
    await call(service, "POST", "resume");
    expect(await ended(service, `status/${accepted.id}`)).toMatchObject({ state: "Succeeded" });
  });

  test("a rerun is a new job of the same definition, and a bulk cancel ends what matches", async () => {
    const done = await run(definition("again"), "polling=true&tags=team=a");
    await gone(done.id);
    const rerun = await call(service, "POST", `jobs/${done.id}/rerun?polling=true`);
    expect(rerun).toMatchObject({ status: 202, rerunOf: done.id });
    expect(await ended(service, rerun.location ?? "")).toMatchObject({ state: "Succeeded" });
    const running = await submit(definition("many", { app: { seconds: 600 } }), "polling=true&tags=team=b");
    expect(await call(service, "POST", "jobs/cancel", '{"tag":"team=b","dryRun":true}')).toMatchObject({
      matched: 1,
      canceled: 0,
    });
    expect(await call(service, "POST", "jobs/cancel", '{"tag":"team=b"}')).toMatchObject({ canceled: 1 });
    expect(await ended(service, running.location ?? "")).toMatchObject({ state: "Canceled" });
  });
});
