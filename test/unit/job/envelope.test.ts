import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJobMessage, type JobMessage } from "../../../src/shared/job/envelope.ts";

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

it.each(["options", "parameters"])("a number in %s that JSON reads as infinite is a fault that says so", (where) => {
  const message = readJobMessage(`{"version": 1, "template": "load", "${where}": {"retries": [1e400]}}`);
  expect(message).toMatchObject({
    kind: "malformed",
    why: `The envelope is wrong at ${where}.retries: it must have no number that is too large.`,
  });
});

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
    ["neither definition nor blob", { version: 1, id }, "needs one of definition, definitionBlob and template"],
    ["both", { version: 1, id, definition: "a", definitionBlob: "aci-definitions/b" }, "no second one"],
    ["a definition and a template", { version: 1, id, definition: "a", template: "t" }, "no second one"],
    ["parameters without a template", { version: 1, id, definition: "a", parameters: {} }, "belong to a template"],
    ["a template that no name can be", { version: 1, id, template: "a/b" }, "at template"],
    ["parameters that are a list", { version: 1, id, template: "a", parameters: ["x"] }, "at parameters"],
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

describe("an envelope that another serializer wrote", () => {
  const pascal = {
    Version: 1,
    Op: "Submit",
    Id: id,
    IdempotencyKey: null,
    Definition: { Name: "a", Properties: {} },
    DefinitionBlob: null,
    Options: { Retries: 2 },
    ReplyTo: { Queue: "answers" },
    CorrelationId: "c-1",
    CallBackUri: null,
  };

  it.each(forms(pascal))("in PascalCase and with nulls is read alike, %s", (_, body) => {
    expect(submission(readJobMessage(body))).toMatchObject({
      id,
      options: { Retries: 2 },
      replyTo: "answers",
      correlationId: "c-1",
      callBackUri: undefined,
      unknown: [],
    });
  });

  it("cancels in any letter case", () => {
    expect(readJobMessage({ VERSION: 1, OP: "CANCEL", ID: id })).toEqual({ kind: "cancel", id });
  });

  it("is distinguished from a definition in PascalCase", () => {
    const definition = { Name: "a", Version: "2", Properties: {} };
    expect(submission(readJobMessage(definition)).definition).toEqual({ text: JSON.stringify(definition) });
  });

  it("with a member in two spellings takes the last one, and warns", () => {
    const { correlationId, unknown } = submission(
      readJobMessage({ version: 1, definition: "a", correlationId: "first", CorrelationId: "last" }),
    );
    expect([correlationId, unknown]).toEqual(["last", ["CorrelationId"]]);
  });

  it("that can never work still shows whom to answer", () => {
    expect(
      readJobMessage({ Version: 1, Id: id, ReplyTo: { Queue: "answers" }, CallBackUri: "https://a.example" }),
    ).toMatchObject({
      kind: "malformed",
      of: { id, replyTo: "answers", callBackUri: "https://a.example" },
    });
  });
});

describe("what stands around a message is read through", () => {
  const crlf = yaml.replaceAll("\n", "\r\n");
  const envelope = JSON.stringify({ version: 1, id, definition: crlf });

  it.each<[string, (text: string) => unknown]>([
    ["a byte-order mark", (text) => `\uFEFF${text}`],
    ["base64", base64],
    ["base64 of a byte-order mark and the text", (text) => base64(`\uFEFF${text}`)],
    ["base64 of base64", (text) => base64(base64(text))],
    ["a JSON string", JSON.stringify],
    ["base64 of a JSON string", (text) => base64(JSON.stringify(text))],
    ["bytes", (text) => Buffer.from(text)],
    ["bytes with a byte-order mark", (text) => Buffer.from(`\uFEFF${text}`)],
  ])("%s", (_, around) => {
    expect(submission(readJobMessage(around(crlf))).definition).toEqual({ text: crlf });
    expect(submission(readJobMessage(around(envelope)))).toMatchObject({ id, definition: { text: crlf } });
    const inner = { version: 1, definition: around(crlf) };
    if (typeof inner.definition === "string")
      expect(submission(readJobMessage(inner)).definition).toEqual({ text: crlf });
  });

  it.each<[string, (bytes: Buffer) => unknown]>([
    ["a message's base64", (bytes) => bytes.toString("base64")],
    ["an envelope's definition in base64", (bytes) => ({ version: 1, definition: bytes.toString("base64") })],
    ["bytes", (bytes) => bytes],
  ])("but what is not UTF-8 is refused with its place: %s", (_, around) => {
    const message = readJobMessage(around(Buffer.from("name: a\ntags: {x: \xe9}\n", "latin1")));
    expect(message).toMatchObject({ kind: "malformed", at: { line: 2, column: 11 } });
    expect(message.kind === "malformed" && message.why).toMatch(/not UTF-8 at line 2, column 11 \(byte 19\)/);
  });
});

describe("a definition that is an object inside an envelope", () => {
  const text = `{
  "Version": 1, "definition": "earlier",
  "options": {"definition": {"retries": 1}},
  "Definition": { "name": "a", "count": 1.10,
                  "long": 12345678901234567890 }
}`;

  it("keeps its numbers as they were written, and stands where it stood", () => {
    const { definition } = submission(readJobMessage(text));
    const inner = "text" in definition ? definition.text : "";
    expect(inner.trim()).toBe('{ "name": "a", "count": 1.10,\n                  "long": 12345678901234567890 }');
    expect(inner.indexOf('"count"')).toBe(text.indexOf('"count"'));
  });

  it("is found whatever else is there", () => {
    const member = fc.tuple(fc.constantFrom("a", "definition", "DEFINITION", '"', "\\", "{", "\u2028"), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(member), fc.nat(4), (members, indent) => {
        const value = Object.fromEntries([...members, ["Definition", { name: "a", members }]]);
        const { definition } = submission(readJobMessage(JSON.stringify({ version: 1, ...value }, null, indent)));
        const last = Object.entries(value).findLast(([key]) => /^definition$/i.test(key))?.[1] as unknown;
        if (typeof last !== "object" || last === null || Array.isArray(last)) return;
        expect("text" in definition && JSON.parse(definition.text)).toEqual(JSON.parse(JSON.stringify(last)));
      }),
    );
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
        fc.uint8Array(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
      ),
      (body) => {
        expect(readJobMessage(body).kind).toMatch(/submit|malformed|newer|run|cancel/);
      },
    ),
  );
});
