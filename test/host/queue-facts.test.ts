/** How the real host was seen to treat storage queues, one test for each fact, against Azurite. */
import { QueueSASPermissions, type QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../kit/azurite.ts";
import { until } from "../kit/until.ts";
import type { Run } from "./fixture-app/src/runs.ts";
import { buildApp, type BuiltApp, type Kit, startKit, when } from "./kit.ts";

let azurite: Azurite;
let app: BuiltApp;
let kit: Kit;

beforeAll(async () => {
  [azurite, app] = await Promise.all([startAzurite(), buildApp("index")]);
  kit = await startKit(app, azurite);
});

afterAll(async () => {
  await kit.host.stop();
  await Promise.all([azurite.stop(), app.remove()]);
});

async function queue(name: string): Promise<QueueClient> {
  const client = kit.queues.getQueueClient(name);
  await client.createIfNotExists();
  return client;
}

async function send(name: string, text: string): Promise<void> {
  await (await queue(name)).sendMessage(text);
}

/** As other clients write it: the JavaScript one drops line feeds. */
async function sendXml(name: string, xml: string): Promise<void> {
  const permissions = QueueSASPermissions.parse("a");
  const sas = (await queue(name)).generateSasUrl({ permissions, expiresOn: new Date(Date.now() + 60_000) });
  const body = `<QueueMessage><MessageText>${xml}</MessageText></QueueMessage>`;
  const sent = await fetch(sas.replace("?", "/messages?"), { method: "POST", body });
  expect(sent.status).toBe(201);
}

const saw = (name: string, message: unknown): Promise<Run> =>
  until(`${name} with ${JSON.stringify(message)}`, () =>
    kit.runs(name).find((run) => JSON.stringify(run.message) === JSON.stringify(message)),
  );

/** Takes the next message of a queue, waiting for it. */
async function take(name: string): Promise<string> {
  const client = await queue(name);
  return until(`a message on ${name}`, async () => {
    const { receivedMessageItems } = await client.receiveMessages();
    const [message] = receivedMessageItems;
    if (message === undefined) return undefined;
    await client.deleteMessage(message.messageId, message.popReceipt);
    return message.messageText;
  });
}

const isEmpty = async (name: string): Promise<boolean> =>
  (await (await queue(name)).getProperties()).approximateMessagesCount === 0;

describe("with messageEncoding none", () => {
  const arrives: readonly [string, string, unknown][] = [
    ["text arrives as text", "just text", "just text"],
    ["an object arrives parsed", '{"a":{"b":1}}', { a: { b: 1 } }],
    ["an array arrives parsed", "[1,2]", [1, 2]],
    ["a number arrives as a number", "17", 17],
    ["base64 arrives as it is", "eyJhIjoxfQ==", "eyJhIjoxfQ=="],
    ["what only looks like JSON arrives as text", '{"a":', '{"a":'],
  ];
  test.each(arrives)("%s", async (_, text, message) => {
    await send("seen", text);
    await saw("seen", message);
    await until("the message's deletion", async () => when(await isEmpty("seen"), true));
  });

  test("the trigger metadata are the message's own", async () => {
    await send("seen", "with metadata");
    const { metadata } = await saw("seen", "with metadata");
    expect(metadata).toMatchObject({ queueTrigger: "with metadata", dequeueCount: 1 });
    expect(metadata?.["insertionTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    expect(metadata?.["id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("members of a JSON message overwrite them, without regard to case, but for arrays and nulls", async () => {
    const message = {
      id: "mine",
      DEQUEUECOUNT: 99,
      popReceipt: null,
      insertionTime: ["a"],
      Extra: { x: 1 },
      flag: true,
    };
    await send("seen", JSON.stringify(message));
    const { metadata } = await saw("seen", message);
    expect(metadata).toMatchObject({ id: "mine", dequeueCount: 99, extra: { x: 1 }, flag: "True" });
    expect(metadata?.["popReceipt"]).not.toBeNull();
    expect(metadata?.["insertionTime"]).toMatch(/^\d{4}-/);
  });

  test("a failure is tried again at once until maxDequeueCount, then its text goes to the poison queue", async () => {
    await send("failing", '{"fails":"always"}');
    expect(await take("failing-poison")).toBe('{"fails":"always"}');
    expect(kit.runs("failing").map((run) => run.metadata?.["dequeueCount"])).toEqual([1, 2, 3]);
    expect(await isEmpty("failing")).toBe(true);
  });

  test("line breaks arrive as they were written, of a message that fails in the poison queue too", async () => {
    await sendXml("seen", "a&#xD;\nb\nc &amp;lt; d");
    await saw("seen", "a\r\nb\nc &lt; d");
    await sendXml("failing", "several\r\nlines");
    expect(Buffer.from(await take("failing-poison"), "base64").toString()).toBe("several\r\nlines");
  });

  test("a poison queue has no poison queue: its message stays, hidden for the lease", async () => {
    await send("own-poison", "twice bad");
    await saw("ownPoison", "twice bad");
    await send("seen", "after it");
    await saw("seen", "after it");
    expect(kit.runs("ownPoison")).toHaveLength(1);
    expect(await isEmpty("own-poison")).toBe(false);
    expect(await kit.queues.getQueueClient("own-poison-poison").exists()).toBe(false);
  });

  test("batchSize and newBatchThreshold bound what runs at once", async () => {
    for (let index = 0; index < 9; index += 1) await send("gated", `gate ${index}`);
    const gates = (globalThis.fixtureGates ??= new Map<string, () => void>());
    await until("a full house", () => when(kit.runs("gated").length > 2, true)); // more than newBatchThreshold
    await send("seen", "a later look");
    await saw("seen", "a later look");
    expect(kit.runs("gated").length).toBeLessThanOrEqual(6); // batchSize 4 + newBatchThreshold 2
    await until("all nine", () => {
      for (const open of gates.values()) open();
      return when(kit.runs("gated").length === 9, true);
    });
    await until("the last gate", async () => {
      for (const open of gates.values()) open();
      return when(await isEmpty("gated"), true);
    });
  });

  test("an output that is an array is one message for each element", async () => {
    const reply = await kit.call("/api/fan", { method: "POST", body: '["text",{"a":1},3]' });
    expect(reply.status).toBe(202);
    expect([await take("fanned"), await take("fanned"), await take("fanned")].sort()).toEqual(["3", "text", '{"a":1}']);
  });

  test("a returned value goes to the queue of the return binding, which wakes its listener", async () => {
    await send("relay", "passed on");
    await saw("seen", { relayed: "passed on" });
  });

  test("an output over the queue's limit fails the run: 500", async () => {
    const reply = await kit.call("/api/fan", { method: "POST", body: JSON.stringify("x".repeat(70_000)) });
    expect(reply.status).toBe(500);
  });

  test("functions with a missing setting or connection are in error, and only they", () => {
    const errors = kit.host.functions.flatMap((state) =>
      state.state === "error" ? [`${state.metadata.name}: ${state.error}`] : [],
    );
    const named = (name: string): string | undefined => errors.find((error) => error.startsWith(`${name}: `));
    expect(named("missingName")).toContain("'%NOT_SET%' does not resolve to a value.");
    expect(named("missingConnection")).toContain("'NoSuchStorage' does not exist");
    expect(named("strange")).toContain("cosmosDBTrigger");
    expect(named("wrong")).toContain("'whenever'");
    expect(named("seen")).toBeUndefined();
  });
});

describe("with messageEncoding base64, the default", () => {
  let encoded: Kit;

  beforeAll(async () => {
    await kit.host.stop();
    encoded = await startKit(app, azurite, {
      leaseSeconds: 1,
      env: {
        AzureFunctionsJobHost__extensions__queues__messageEncoding: "base64",
        AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:00:02",
      },
    });
  });

  afterAll(() => encoded.host.stop());

  test("a message that is not base64 goes straight to the poison queue as raw text, unseen", async () => {
    await send("seen", "not base64!");
    expect(await take("seen-poison")).toBe("not base64!");
    expect(kit.runs("seen").some((run) => run.message === "not base64!")).toBe(false);
  });

  test("one that is arrives decoded", async () => {
    await send("seen", Buffer.from('{"decoded":true}').toString("base64"));
    await saw("seen", { decoded: true });
  });

  test("outputs are encoded", async () => {
    await encoded.call("/api/fan", { method: "POST", body: '["plain"]' });
    expect(await take("fanned")).toBe(Buffer.from("plain").toString("base64"));
  });

  test("an output of 48 KB fits, one of 60 KB does not once it is encoded: 500", async () => {
    const fan = (bytes: number) =>
      encoded.call("/api/fan", { method: "POST", body: JSON.stringify("x".repeat(bytes)) });
    expect((await fan(48 * 1024)).status).toBe(202);
    expect((await fan(60_000)).status).toBe(500);
    await take("fanned");
  });

  test("a failure is tried again only after visibilityTimeout", async () => {
    const before = kit.runs("failing").length;
    await send("failing", Buffer.from("later").toString("base64"));
    const first = await until("the first try", () => kit.runs("failing")[before]);
    const second = await until("the second try", () => kit.runs("failing")[before + 1]);
    expect(second.at - first.at).toBeGreaterThanOrEqual(1_000); // the queue counts in whole seconds
  });

  test("a message is hidden while its function runs, however long that is over the lease", async () => {
    await send("slow", Buffer.from("2500").toString("base64"));
    const client = await queue("slow");
    await saw("slow", 2500);
    await until("the run's end", async () => {
      expect((await client.receiveMessages({ numberOfMessages: 1 })).receivedMessageItems).toEqual([]);
      return kit.runs("slow-end")[0];
    });
    await until("the message's deletion", async () => when(await isEmpty("slow"), true));
    expect(kit.runs("slow")).toHaveLength(1);
  });
});
