import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cancelMessage,
  fromBase64,
  readGroupEvents,
  readJobMessage,
  readWake,
  runMessage,
  wakeMessage,
  type JobMessage,
} from "../../../src/shared/store/messages.ts";
import { jobId } from "../../kit/kit.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const yaml = "apiVersion: 2023-05-01\nname: bellaciao\nproperties: {}\n";
const id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

function submission(message: JobMessage) {
  if (message.kind !== "submit") throw new Error(JSON.stringify(message));
  return message.submission;
}

/** The three ways in which the queue trigger may hand a message over. */
const forms = (value: unknown): [string, unknown][] => [
  ["plain", typeof value === "string" ? value : JSON.stringify(value)],
  ["base64", base64(typeof value === "string" ? value : JSON.stringify(value))],
  ["parsed by the host", value],
];

describe("a definition on the queue", () => {
  it.each(forms(yaml))("as YAML, %s", (_, body) => {
    expect(submission(readJobMessage(body))).toMatchObject({ id: undefined, definition: { text: yaml }, options: {} });
  });

  it.each(forms({ name: "bellaciao", properties: {} }))("as JSON, %s", (_, body) => {
    const { definition } = submission(readJobMessage(body));
    expect("text" in definition && JSON.parse(definition.text)).toEqual({ name: "bellaciao", properties: {} });
  });

  it.each(forms({ name: "bellaciao", version: "3", properties: {} }))("with a version of its own, %s", (_, body) => {
    const { definition } = submission(readJobMessage(body));
    expect("text" in definition && JSON.parse(definition.text)).toHaveProperty("version", "3");
  });

  it("is never parsed as JSON where its text is what counts", () => {
    const text = '{ "name": "a", "value": 1.10 }';
    expect(submission(readJobMessage(text)).definition).toEqual({ text });
  });
});

describe("an envelope", () => {
  const envelope = {
    version: 1,
    id: id.toUpperCase(),
    idempotencyKey: "key 1",
    definition: yaml,
    options: { retries: 2, polling: true },
    replyTo: { queue: "answers" },
    correlationId: "c-1",
    callBackUri: "https://example.azure.com/x",
    traceparent: "00-a-b-01",
  };

  it.each(forms(envelope))("%s", (_, body) => {
    expect(submission(readJobMessage(body))).toEqual({
      id,
      idempotencyKey: "key 1",
      definition: { text: yaml },
      options: { retries: 2, polling: true },
      replyTo: "answers",
      correlationId: "c-1",
      callBackUri: "https://example.azure.com/x",
      traceparent: "00-a-b-01",
      unknown: [],
    });
  });

  it("may bring its definition as an object, or as a blob", () => {
    expect(submission(readJobMessage({ version: 1, definition: { name: "a" } })).definition).toEqual({
      text: '{"name":"a"}',
    });
    expect(submission(readJobMessage({ version: 1, definitionBlob: "aci-definitions/a/b.yaml" })).definition).toEqual({
      blob: "aci-definitions/a/b.yaml",
    });
  });

  it("may cancel", () => {
    expect(readJobMessage({ version: 1, op: "cancel", id })).toEqual({ kind: "cancel", id });
  });

  it.each([2, 3, 99])("of version %i is a newer release's, and not ours to judge", (version) => {
    expect(readJobMessage(JSON.stringify({ version, shape: "unknown" }))).toEqual({ kind: "newer" });
  });

  it.each([
    ["neither definition nor blob", { version: 1, id }, "needs a definition or a definitionBlob"],
    ["both", { version: 1, id, definition: "a", definitionBlob: "aci-definitions/b" }, "not both"],
    ["a blob of another container", { version: 1, id, definitionBlob: "secrets/a" }, "at definitionBlob"],
    ["a cancel without an id", { version: 1, op: "cancel" }, "needs an id"],
    ["an unknown op", { version: 1, id, op: "explode" }, "at op"],
    ["an id that is no UUID", { version: 1, id: "mine", definition: "a" }, "at id"],
    ["a key with control characters", { version: 1, id, idempotencyKey: "a\nb", definition: "a" }, "at idempotencyKey"],
    ["a version that is no number", { version: "one", id, definition: "a" }, "at version"],
    ["a version of 0", { version: 0, id, definition: "a" }, "at version"],
    ["options that are a list", { version: 1, id, definition: "a", options: ["x"] }, "at options"],
  ])("with %s can never work, and the record says why", (_, body, why) => {
    const message = readJobMessage(body);
    expect(message).toMatchObject({ kind: "malformed" });
    expect(message.kind === "malformed" && message.why).toContain(why);
  });

  it("that can never work keeps its id, so that its poster finds the reason", () => {
    expect(readJobMessage({ version: 1, id })).toMatchObject({ kind: "malformed", of: { id } });
  });

  it("never repeats what it says in the reason", () => {
    const message = readJobMessage({ version: 1, id, definition: "a", callBackUri: 5, options: "hunter2" });
    expect(JSON.stringify(message)).not.toContain("hunter2");
  });
});

it.each([[null], [5], [true], [[1]], [undefined]])("%j is neither a definition nor an envelope", (body) => {
  expect(readJobMessage(body).kind).toBe("malformed");
});

it("whatever comes, reading it is never an error", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue(),
        fc.object(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
      ),
      (body) => {
        expect(readJobMessage(body).kind).toMatch(/submit|malformed|newer|run|cancel/);
        readWake(body);
        readGroupEvents(body);
      },
    ),
  );
});

describe("our own messages", () => {
  it("are read back", () => {
    expect(readJobMessage(runMessage(jobId()))).toEqual({ kind: "run", id: jobId() });
    expect(readJobMessage(cancelMessage(jobId()))).toEqual({ kind: "cancel", id: jobId() });
    expect(readWake(wakeMessage(jobId(), 1234))).toEqual({ id: jobId(), at: 1234 });
    expect(readWake(wakeMessage(jobId(), undefined))).toEqual({ id: jobId(), at: undefined });
  });

  it("are read as the host hands them over", () => {
    expect(readJobMessage(JSON.parse(runMessage(jobId())))).toEqual({ kind: "run", id: jobId() });
    expect(readWake(JSON.parse(wakeMessage(jobId(), 7)))).toEqual({ id: jobId(), at: 7 });
  });

  it.each(["", "hello", "{}", '{"job": 5}', '{"job": "not an id"}'])("%j is no wake", (text) =>
    expect(readWake(text)).toBeUndefined(),
  );
});

describe("base64", () => {
  it("is opened, and nothing else is taken for it", () => {
    expect(fromBase64(base64(yaml))).toBe(yaml);
    for (const end of ["\n", "\r\n"])
      expect(fromBase64(`${base64(yaml).replaceAll(/.{20}/g, `$&${end}`)}${end}`)).toBe(yaml);
    for (const text of [yaml, "", "abcd", "name: a", '{"a":1}', "a b c d e"]) expect(fromBase64(text)).toBeUndefined();
  });

  it("no definition is base64 by chance", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}: [a-z]{1,20}$/), (text) => {
        expect(fromBase64(text)).toBeUndefined();
      }),
    );
  });
});

describe("Event Grid's events", () => {
  const subject = "/subscriptions/s/resourcegroups/G/providers/Microsoft.ContainerInstance/containerGroups/BellaCiao";
  const event = {
    subject,
    eventType: "Microsoft.Resources.ResourceWriteSuccess",
    data: { claims: { email: "somebody@example.com" } },
  };

  it.each([...forms(event), ...forms([event])])("are reduced to the group's name, %s", (_, body) => {
    expect(readGroupEvents(body)).toEqual(["BellaCiao"]);
  });

  it.each([
    [
      "another resource type",
      { subject: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a" },
    ],
    ["something below a group", { subject: `${subject}/containers/a` }],
    ["no subject", { eventType: "x" }],
    ["no event", "hello"],
    ["nothing", null],
  ])("of %s are none", (_, body) => expect(readGroupEvents(body)).toEqual([]));
});
