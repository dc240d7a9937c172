/** What operators send: which members are taken, what is said of the others, and what is counted. */
import type { HttpHandler } from "@azure/functions";
import { QueueSASPermissions } from "@azure/storage-queue";
import { describe, expect, it } from "vitest";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { pause } from "../../src/http/operate/pause.ts";
import { resume } from "../../src/http/operate/resume.ts";
import { takePoison } from "../../src/http/operate/poison.ts";
import { day } from "../../src/shared/base/duration.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { ask, deliver, follow, get, jobOf, messagesIn, openBench, post, useAzurite, yaml, type Reply } from "./kit.ts";

useAzurite();

const send = (handler: HttpHandler, body: unknown): Promise<Reply> => ask(handler, { text: JSON.stringify(body) });
const cancelBy = (deps: Deps, body: unknown): Promise<Reply> => send(cancelMany(deps), body);

describe("canceling many", () => {
  it("takes its members in any letter case, so that a dry run cancels nothing however it is written", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("a"));
    for (const dryRun of [{ dryrun: true }, { DRYRUN: "True" }, { dryRun: "1" }]) {
      const { body } = await cancelBy(bench.deps, { Name: "A", ...dryRun });
      expect(body).toMatchObject({ message: "1 job would be canceled", matched: 1, canceled: 0, dryRun: true });
    }
    expect((await jobOf(bench.deps, id)).cancel).toBeUndefined();
  });

  it("counts no job that is canceled already or has ended", async () => {
    const bench = await openBench();
    const ended = await post(bench.deps, yaml("ended"));
    await follow(bench, ended.id);
    for (const name of ["a", "b"]) await post(bench.deps, yaml(name));
    expect((await cancelBy(bench.deps, { name: "a" })).body).toMatchObject({ message: "1 job is being canceled" });
    const again = { matched: 1, ids: [expect.any(String)] };
    expect((await cancelBy(bench.deps, { state: "active", dryRun: true })).body).toMatchObject(again);
    expect((await cancelBy(bench.deps, { state: "QUEUED" })).body).toMatchObject({ ...again, canceled: 1 });
    const none = { message: "0 jobs are being canceled", canceled: 0, matched: 0 };
    expect((await cancelBy(bench.deps, { state: "active" })).body).toMatchObject(none);
    expect((await cancelBy(bench.deps, { name: "ended" })).body).toMatchObject(none);
  });
});

describe("a body that is wrong", () => {
  const cancel = (deps: Deps) => cancelMany(deps);
  const replay = (deps: Deps) => takePoison(deps, "replay");
  it.each<[string, (deps: Deps) => HttpHandler, unknown, string[], string]>([
    [
      "an unknown member",
      cancel,
      { name: "a", dry: true },
      ["dry"],
      "dry is not known; known are name, tag, pipeline, group, team, state, dryRun.",
    ],
    ["a member twice", cancel, { name: "a", NAME: "b" }, ["name"], "name must be there once only."],
    ["no boolean", cancel, { name: "a", dryRun: "" }, ["dryRun"], "dryRun must be true or false."],
    ["no state", cancel, { state: "sleeping" }, ["state"], "state must be active, or some of Queued, Provisioning,"],
    ["no text", cancel, { tag: 1, name: "" }, ["name", "tag"], "name must be text of 1 to 63 characters. And 1 more."],
    ["no reason", pause, {}, ["reason"], "reason must be text of 1 to 300 characters."],
    ["a long reason", pause, { reason: "x".repeat(301) }, ["reason"], "reason must be text of 1 to 300 characters."],
    ["no id", replay, { messageId: 7 }, ["messageId"], "messageId must be text of 1 to 256 characters."],
    ["an unknown member", replay, { everything: true }, ["everything"], "everything is not known;"],
  ])("(%s) is a 400 in our own words, with its place, and does nothing", async (_, handler, body, paths, message) => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("a"));
    const reply = await send(handler(bench.deps), body);
    const errors = paths.map((path) => expect.objectContaining({ path, line: 1, column: 1 }) as unknown);
    expect(reply).toMatchObject({ status: 400, body: { code: "InvalidRequest", errors } });
    expect(reply.body.message).toContain(message);
    expect((await jobOf(bench.deps, id)).cancel).toBeUndefined();
  });

  it.each(["[]", "null", "7", "{"])("(%s) is no JSON object", async (text) => {
    const { deps } = await openBench();
    const { status, body } = await ask(cancelMany(deps), { text });
    expect({ status, message: body.message }).toEqual({ status: 400, message: "The body must be a JSON object." });
  });

  it("of more than 16 KiB is too large", async () => {
    const { deps } = await openBench();
    const { status, body } = await send(pause(deps), { reason: "x".repeat(17_000) });
    expect([status, body.message]).toEqual([413, "The body is larger than 16384 bytes."]);
  });
});

describe("what was done is said in numbers that read well", () => {
  it("by resume", async () => {
    const bench = await openBench();
    await send(pause(bench.deps), { reason: "maintenance" });
    const { id } = await post(bench.deps, yaml("a"));
    await follow(bench, id, ({ phase }) => phase.state === "Queued" && phase.waiting?.reason === "Paused");
    expect((await send(resume(bench.deps), {})).body.message).toBe("Resumed; 1 waiting job was woken.");
    await send(pause(bench.deps), { reason: "maintenance" });
  });

  it("by replay and drop, which know when there is no such message", async () => {
    const { deps, storage } = await openBench();
    const poison = storage.queues.getQueueClient(`${queueNames.jobs}-poison`);
    await poison.createIfNotExists();
    for (const text of ["a", "b", "c"]) await poison.sendMessage(text);
    const unknown = await send(takePoison(deps, "replay"), { messageId: "nope" });
    expect(unknown).toMatchObject({
      status: 404,
      body: { code: "MessageNotFound", requestId: expect.any(String) as unknown },
    });
    expect((await messagesIn(storage, `${queueNames.jobs}-poison`)).toSorted()).toEqual(["a", "b", "c"]);
    const messageId = (await deps.poison.list())[0]?.messageId;
    const one = await send(takePoison(deps, "replay"), { messageId });
    expect(one.body).toMatchObject({ message: "1 message was sent again.", replayed: 1 });
    const rest = await send(takePoison(deps, "drop"), { all: true });
    expect(rest.body).toMatchObject({ message: "2 messages were dropped.", dropped: 2 });
  });

  it("by the replay of a message with CRLF, which comes as it was posted", async () => {
    const { deps, storage } = await openBench();
    const poison = storage.queues.getQueueClient(`${queueNames.jobs}-poison`);
    await poison.createIfNotExists();
    const text = yaml("replayed").replaceAll("\n", "\r\n");
    // The client drops line feeds: who posts them does it without.
    const url = new URL(
      poison.generateSasUrl({
        permissions: QueueSASPermissions.parse("a"),
        expiresOn: new Date(Date.now() + day),
      }),
    );
    url.pathname += "/messages";
    const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\r", "&#xD;");
    const body = `<QueueMessage><MessageText>${escaped}</MessageText></QueueMessage>`;
    expect((await fetch(url, { method: "POST", body })).status).toBe(201);
    await send(takePoison(deps, "replay"), { all: true });
    const [replayed = ""] = await messagesIn(storage, queueNames.jobs);
    await deliver(deps, replayed);
    expect((await get(deps, "replayed")).status).toBe(202);
  });

  it("by a dry run of one warning", async () => {
    const { deps } = await openBench();
    const { body } = await post(deps, `${yaml("a")}\nzones: []\nunheardOf: 1\n`, "dryRun=true");
    expect(body["warnings"]).toHaveLength(1);
    expect(body.message).toBe("Container Group a can be run, with 1 warning");
  });
});
