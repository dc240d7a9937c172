import { describe, expect, it } from "vitest";
import type { Refusal, Result } from "../../../src/shared/base/errors.ts";
import { groupName } from "../../../src/shared/base/ids.ts";
import type { JsonObject, JsonValue } from "../../../src/shared/base/json.ts";
import { newJob } from "../../../src/shared/intake/new-job.ts";
import { check, type Checked } from "../../../src/shared/intake/submission.ts";
import { jobId, settings, submission } from "../../kit/kit.ts";

const definition = (name = "nightly", image = "example/app:1", value = "${index}"): string => `
name: ${name}
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: main
      properties:
        image: ${image}
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        environmentVariables: [{name: A, value: "${value}"}]
`;

const judged = (text: string, options: JsonObject, environment = {}): Result<Checked> =>
  check(submission(text, { envelope: options }), settings(environment));
const refused = (text: string, options: JsonObject, environment = {}): Refusal => {
  const result = judged(text, options, environment);
  if (result.ok) throw new Error("It was taken.");
  return result.error;
};
const checked = (text: string, options: JsonObject): Checked => {
  const result = judged(text, options);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

describe("bad input", () => {
  it.each<[string, JsonValue, string]>([
    ["0", 0, "array must be"],
    ["10,001", 10_001, "array must be"],
    ["items of mixed types", ["a", { b: 1 }], "item 1 is an object"],
  ])("an array of %s is a 400", (_, array, message) => {
    expect(refused(definition(), { array })).toMatchObject({
      code: "InvalidOptions",
      message: expect.stringContaining(message) as unknown,
      errors: [{ path: "array" }],
    });
  });

  it("a member that an item lacks is a 400 with its index", () => {
    const {
      code,
      message,
      errors = [],
    } = refused(definition("nightly", "example/app:1", "${item.a}"), {
      array: [{ a: 1 }, { b: 1 }],
    });
    expect([code, errors.length]).toEqual(["InvalidDefinition", 1]);
    expect(message).toContain("array[1].properties.containers[0].properties.environmentVariables[0].value (line 11)");
    expect(message).toContain("Index 1: The item has no member a.");
  });

  it.each([
    [61, 5, undefined],
    [61, 11, 10],
    [62, 1, 0],
    [58, 10_000, undefined],
    [59, 10_000, 1000],
  ])("a name of %i characters with %i children is too long from index %s on", (length, array, index) => {
    const text = definition("n".repeat(length));
    if (index === undefined) expect(judged(text, { array }).ok).toBe(true);
    else
      expect(refused(text, { array }).errors).toEqual([
        expect.objectContaining({
          path: "name",
          line: 2,
          message: expect.stringContaining(`Index ${index}: `) as unknown,
        }),
      ]);
  });

  it("what the operator's policy forbids is refused for each item with its index, and once where it is the same for all", () => {
    const POLICY_REGISTRIES = "good.example";
    const items = ["good.example/a", "bad.example/a", "good.example/b"];
    expect(refused(definition("nightly", "${item}"), { array: items }, { POLICY_REGISTRIES })).toMatchObject({
      code: "PolicyRefused",
      errors: [{ path: "array[1].properties.containers[0].properties.image" }],
    });
    expect(refused(definition("nightly", "bad.example/a"), { array: 3 }, { POLICY_REGISTRIES }).errors).toEqual([
      expect.objectContaining({ path: "properties.containers[0].properties.image" }),
    ]);
  });

  it("with strict a warning about an item is an error", () => {
    expect(
      refused(definition("nightly", "example/app:1", "${item}"), { array: ["{{x}}"], strict: true }).errors,
    ).toEqual([expect.objectContaining({ message: expect.stringContaining("placeholder") as unknown })]);
  });
});

describe("an array that can be taken", () => {
  const made = (options: JsonObject, name = "nightly") =>
    newJob(submission(""), checked(definition(name), options), jobId(1), 0);

  it("is one job whose row holds what is asked for, and no item", () => {
    const job = made({ array: ["first", "second", "third"], failFast: true, minSuccess: "50%" });
    expect(job.array).toMatchObject({
      size: 3,
      parallelism: 100,
      failFast: true,
      minSuccess: 2,
      made: 0,
      failures: [],
    });
    expect(job.options.array).toBe(3);
    expect(JSON.stringify(job)).not.toContain("first");
    expect(made({}).array).toBeUndefined();
  });

  it("with uniqueName leaves room for the index behind its name", () => {
    const long = made({ array: 10_000, uniqueName: true }, "n".repeat(63));
    expect(groupName(`${long.groupName}-9999`)).toHaveLength(63);
  });

  it("keeps its items beside the options", () => {
    expect(checked(definition(), { array: ["a", "b"] }).array).toMatchObject({ size: 2, items: ["a", "b"] });
    expect(checked(definition(), { array: "2" }).array).toMatchObject({ size: 2, items: undefined });
    expect(checked(definition(), {}).array).toBeUndefined();
  });
});
