import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readReply, type ReplyName } from "../../../client/replies.ts";
import { hasEnded } from "../../../client/status.ts";
import { replySchemas } from "../../../src/http/openapi/replies.ts";
import { apiModel, type TypeModel } from "../../../scripts/api-model.ts";
import { generatedClients } from "../../../scripts/generated-clients.ts";
import { activeStates, terminalStates } from "../../../src/shared/job/job.ts";

const model = apiModel();
const root = join(import.meta.dirname, "../../..");

test.each([...(await generatedClients())])(
  "%s says what the API's description says (else: npm run docs)",
  (path, text) => {
    expect(readFileSync(join(root, path), "utf8")).toBe(text);
  },
);

/** A value of that type, and one that is of another. */
function samples(type: TypeModel): readonly [good: unknown, bad: unknown] {
  switch (type.kind) {
    case "text":
    case "words":
      return ["a newer word", 1];
    case "integer":
    case "number":
      return [1.5, "1"];
    case "boolean":
      return [false, "false"];
    case "null":
      return [null, 1];
    case "any":
      return [[1], undefined];
    case "list":
      return [[samples(type.of)[0]], {}];
    case "map":
      return [{ a: samples(type.of)[0] }, ["a"]];
    case "either":
      return [samples(type.of.at(-1) ?? { kind: "null" })[0], [[]]];
    case "named": {
      const object = model.objects.find(({ name }) => name === type.name);
      return [object === undefined ? "a newer word" : essential(object), 1];
    }
  }
}

function essential({ members }: (typeof model.objects)[number]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(members.filter((each) => each.required).map((each) => [each.name, samples(each.type)[0]]));
}

const isReply = (name: string): name is ReplyName => Object.hasOwn(replySchemas(), name);
const objects = model.objects.flatMap((object) => (isReply(object.name) ? [[object.name, object] as const] : []));

describe.each(objects)("The client reads %s", (name, object) => {
  const reads = (value: object): boolean => readReply(name, JSON.stringify(value)) !== undefined;
  const least = essential(object);

  test("with its essential members alone, and with members of a newer service", () => {
    expect(reads(least)).toBe(true);
    expect(reads({ ...least, newer: { members: [1] } })).toBe(true);
  });

  test("with each member as its type says, and not as anything else", () => {
    for (const { name: member, type, required } of object.members) {
      const [good, bad] = samples(type);
      expect(reads({ ...least, [member]: good }), member).toBe(true);
      if (bad !== undefined) expect(reads({ ...least, [member]: bad }), member).toBe(false);
      const { [member]: _, ...without } = least;
      expect(reads(without), member).toBe(!required);
    }
  });
});

test("the client knows the states that are an end, and does not take an unknown one for an end", () => {
  expect(terminalStates.every((state) => hasEnded({ state }))).toBe(true);
  expect([...activeStates, "Unknown", "Hibernating"].some((state) => hasEnded({ state }))).toBe(false);
});
