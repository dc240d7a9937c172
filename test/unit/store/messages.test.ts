import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJobMessage } from "../../../src/shared/job/envelope.ts";
import {
  readGroupEvents,
  readRequeueMessage,
  runMessage,
  sweepMessage,
  requeueMessage,
} from "../../../src/shared/store/messages.ts";
import { jobId } from "../../kit/kit.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** The three ways in which the queue trigger may hand a message over. */
const forms = (value: unknown): [string, unknown][] => [
  ["plain", JSON.stringify(value)],
  ["base64", base64(JSON.stringify(value))],
  ["parsed by the host", value],
];

it("whatever comes, reading it is never an error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.jsonValue(), fc.object()), (body) => {
      readRequeueMessage(body);
      readGroupEvents(body);
    }),
  );
});

describe("our own messages", () => {
  it("are read back", () => {
    expect(readJobMessage(runMessage(jobId()))).toEqual({ kind: "run", id: jobId() });
    expect(readJobMessage(JSON.stringify({ version: 1, op: "cancel", id: jobId() }))).toEqual({
      kind: "cancel",
      id: jobId(),
    });
    expect(readRequeueMessage(sweepMessage)).toEqual({ kind: "sweep" });
    expect(readRequeueMessage(requeueMessage(jobId(), 1234))).toEqual({ kind: "job", id: jobId(), at: 1234 });
    expect(readRequeueMessage(requeueMessage(jobId(), undefined))).toEqual({ kind: "job", id: jobId(), at: undefined });
  });

  it("are read as the host hands them over", () => {
    expect(readJobMessage(JSON.parse(runMessage(jobId())))).toEqual({ kind: "run", id: jobId() });
    expect(readRequeueMessage(JSON.parse(requeueMessage(jobId(), 7)))).toEqual({ kind: "job", id: jobId(), at: 7 });
  });

  it.each(["", "hello", "{}", '{"job": 5}', '{"job": "not an id"}'])("%j asks for no reconcile", (text) =>
    expect(readRequeueMessage(text)).toBeUndefined(),
  );
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
  ])("of %s have no group", (_, body) => expect(readGroupEvents(body)).toEqual([]));
});
