// Longer than 350 lines: one table of what each option takes and refuses.
import { describe, expect, it } from "vitest";
import { day, hour, minute, second } from "../../../src/shared/base/duration.ts";
import type { JsonObject, JsonValue } from "../../../src/shared/base/json.ts";
import {
  optionsOfQuery,
  optionsTable,
  readOptions,
  type JobOptions,
  type OptionName,
  type OptionsContext,
  type OptionsFrom,
} from "../../../src/shared/job/options.ts";
import { leastSuccesses } from "../../../src/shared/job/option-readers.ts";
import { settings } from "../../kit/kit.ts";

const context: OptionsContext = { settings: settings(), via: "http", containers: ["app1", "app2"], hasCallBack: false };
const from = (values: JsonObject, where: OptionsFrom["where"] = "query"): OptionsFrom => ({ values, where });

function read(values: JsonObject, changes: Partial<OptionsContext> = {}): JobOptions {
  const result = readOptions([from(values)], { ...context, ...changes });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value.options;
}
function faults(values: JsonObject, changes: Partial<OptionsContext> = {}) {
  const result = readOptions([from(values)], { ...context, ...changes });
  return result.ok ? [] : result.error.faults;
}

it("an option that one source has in two letter cases is warned of, and the last counts, as in the rest of a definition", () => {
  const both = readOptions([from({ Retries: 99, timeout: "PT1H", retries: 1, Timeout: "PT2H" }, "block")], context);
  expect(both).toMatchObject({
    ok: true,
    value: {
      options: { retries: 1, timeout: 2 * hour },
      warnings: [
        {
          path: "x-aciproxy.Retries",
          message: "retries is written twice, in different letter case; the last one counts.",
        },
        { path: "x-aciproxy.timeout" },
      ],
    },
  });
  expect(faults({ retries: 1, Retries: 99 })).toMatchObject([{ path: "Retries" }]);
});

describe("without any options", () => {
  it("the defaults are the settings'", () => {
    const own = settings({ DEFAULT_TIMEOUT: "PT2H", DEFAULT_START_TIMEOUT: "PT5M", DEFAULT_OUTPUT_LIMIT: "100" });
    expect(read({}, { settings: own })).toMatchObject({
      timeout: 2 * hour,
      startTimeout: 5 * minute,
      outputLimit: 100,
    });
  });

  it("the default timeout never exceeds the ceiling", () => {
    expect(read({}, { settings: settings({ MAX_TIMEOUT: "PT1H" }) }).timeout).toBe(hour);
  });

  it("HTTP rejects a name that is active, the queue waits for it", () => {
    expect(read({}).onConflict).toBe("reject");
    expect(read({}, { via: "queue" }).onConflict).toBe("wait");
  });

  it("a job is not polled, not retried, not kept, and fails with 500", () => {
    expect(read({})).toMatchObject({
      polling: "false",
      retries: 0,
      keep: "never",
      failureStatus: 500,
      uniqueName: false,
      dryRun: false,
    });
  });
});

describe("values", () => {
  it.each<[OptionName, JsonValue, unknown]>([
    ["polling", "True", "true"],
    ["polling", true, "true"],
    ["polling", "STARTED", "started"],
    ["polling", " true ", "true"],
    ["onConflict", "Wait\n", "wait"],
    ["retries", " 3 ", 3],
    ["polling", "link", "link"],
    ["timeout", "PT10M", 10 * minute],
    ["timeout", 600, 10 * minute],
    ["timeout", "600", 10 * minute],
    ["timeout", "P7D", 7 * day],
    ["queueTimeout", "PT1H", hour],
    ["startTimeout", "90", 90 * second],
    ["runTimeout", "PT1S", second],
    ["retries", "10", 10],
    ["retries", 0, 0],
    ["onConflict", "Replace", "replace"],
    ["uniqueName", "TRUE", true],
    ["uniqueName", 1, undefined],
    ["uniqueName", "1", true],
    ["main", "app2", "app2"],
    ["keep", "Failed", "failed"],
    ["lease", "PT5M", 5 * minute],
    ["env", false, false],
    ["group", "Warehouse/A_b.c-d:E", "warehouse/a_b.c-d:e"],
    ["group", 5, "5"],
    ["group", "x".repeat(128), "x".repeat(128)],
    ["priority", "-86400", -86_400],
    ["priority", 60, 60],
    ["team", " Data.1 ", "data.1"],
    ["source", "f/p/r/a", { factory: "f", pipeline: "p", pipelineRunId: "r", activity: "a" }],
    ["source", "f/p/r/a/with/slashes", { factory: "f", pipeline: "p", pipelineRunId: "r", activity: "a/with/slashes" }],
    ["failureStatus", "200", 200],
    ["failureStatus", 424, 424],
    ["outputLimit", "0", 0],
    ["outputLimit", 262_144, 262_144],
    ["strict", "true", true],
    ["dryRun", "0", false],
    ["tags", "team=data, nightly", { team: "data", nightly: "" }],
    ["tags", { team: "data", n: 5 }, { team: "data", n: "5" }],
    ["tags", ["a=b=c"], { a: "b=c" }],
    ["tags", "Team=a, team=b", { team: "b" }],
    ["tags", "", {}],
    ["tags", 2026, { "2026": "" }],
    ["array", 3, 3],
    ["array", "10000", 10_000],
    ["array", ["a", "b"], 2],
    ["array", '[{"a":1},{"a":2},{}]', 3],
  ])("%s %j", (name, value, expected) => {
    if (expected === undefined) expect(faults({ [name]: value })).not.toEqual([]);
    else expect(read({ [name]: value })[name]).toEqual(expected);
  });

  it.each<[OptionName, JsonValue]>([
    ["timeout", "10m"],
    ["timeout", "0"],
    ["timeout", "P8D"],
    ["timeout", null],
    ["timeout", ["PT1H"]],
    ["lease", "PT4M59S"],
    ["retries", 11],
    ["retries", -1],
    ["retries", 1.5],
    ["retries", "two"],
    ["onConflict", "fight"],
    ["uniqueName", "yes"],
    ["main", ""],
    ["env", ""],
    ["strict", ""],
    ["uniqueName", ""],
    ["dryRun", ""],
    ["dryRun", null],
    ["keep", true],
    ["source", "only/three/parts"],
    ["source", "a//b/c"],
    ["failureStatus", 201],
    ["failureStatus", 401],
    ["failureStatus", 403],
    ["failureStatus", 408],
    ["failureStatus", 429],
    ["failureStatus", 600],
    ["outputLimit", 262_145],
    ["tags", "aciproxy-job=mine"],
    ["tags", { "a<b": "c" }],
    ["tags", { a: "x".repeat(257) }],
    ["tags", Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`t${n}`, "x"]))],
    ["group", ""],
    ["group", "a b"],
    ["group", "a\\b"],
    ["group", "a#b"],
    ["group", "ä"],
    ["group", ["a"]],
    ["array", 0],
    ["array", 10_001],
    ["array", 1.5],
    ["array", []],
    ["array", ["a", 1]],
    ["array", "[1"],
    ["array", { value: [] }],
    ["group", "x".repeat(129)],
    ["priority", 86_401],
    ["priority", "1.5"],
    ["team", "a b"],
    ["retryOn", "sometimes"],
    ["retryOn", ""],
  ])("%s %j is refused, without repeating it", (name, value) => {
    const found = faults({ [name]: value, ...(name === "retryOn" ? { retries: 1 } : {}) });
    expect(found).toEqual([
      { path: name, line: 1, column: 1, message: expect.stringMatching(new RegExp(`^${name} must be`)) as unknown },
    ]);
  });
});

it("a limit, and what happens at it, need a group", () => {
  for (const [name, value] of [
    ["groupLimit", 3],
    ["onGroupFull", "reject"],
  ] as const) {
    expect(faults({ [name]: value })).toEqual([
      { path: name, line: 1, column: 1, message: `${name} needs the option group.` },
    ]);
    expect(read({ [name]: value, group: "a" })).toMatchObject({ group: "a", [name]: value });
  }
  for (const groupLimit of [0, -1, 10_001, 1.5])
    expect(faults({ group: "a", groupLimit })).toMatchObject([{ path: "groupLimit" }]);
});

describe("retryOn", () => {
  const rules = (retryOn: JsonValue) => read({ retries: 1, retryOn }).retryOn;

  it("is ordered rules on exit codes, reasons, whose fault, or everything", () => {
    const expected = [
      { when: { exitCodes: [137, 137] }, retry: false },
      { when: { exitCodes: [1, 5] }, retry: true },
      { when: { reason: "OutOfMemory" }, retry: true },
      { when: { party: "platform" }, retry: true },
      { when: "anything", retry: false },
    ];
    expect(rules("!137, 1-5, outofmemory, Platform, !*")).toEqual(expected);
    expect(rules(["!137", "1-5", "OutOfMemory", "platform", "!*"])).toEqual(expected);
  });

  it("may be a list of plain exit codes", () => {
    expect(rules([3, 4])).toEqual([3, 4].map((code) => ({ when: { exitCodes: [code, code] }, retry: true })));
  });

  it("may stand beside no retries at all, as pipelines with a parameter for them write it", () => {
    expect(read({ retries: 0, retryOn: "137" })).toMatchObject({ retries: 0, retryOn: [{ retry: true }] });
  });

  it.each(["5-1", "!5-1", "1-5, 9-8"])("refuses a range that runs backwards: %s", (retryOn) => {
    expect(faults({ retries: 1, retryOn })).toMatchObject([
      { path: "retryOn", message: expect.stringContaining("the smaller first") as unknown },
    ]);
  });

  it("has at most 20 rules", () => {
    expect(faults({ retries: 1, retryOn: Array.from({ length: 21 }, (_, n) => n) })).toHaveLength(1);
  });
});

describe("names", () => {
  it("are known in any letter case", () => expect(read({ UNIQUENAME: "true" }).uniqueName).toBe(true));

  it("that are unknown are counted where there are too many to list", () => {
    const told = faults(Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`k${n}`, 1])));
    expect(told).toHaveLength(51);
    expect(told.at(-1)).toMatchObject({ path: "", message: "29950 more options are unknown." });
  });

  it("that are unknown are faults that name the known ones", () => {
    expect(faults({ pooling: "true" })).toEqual([
      {
        path: "pooling",
        line: 1,
        column: 1,
        message: expect.stringContaining("known are polling, timeout,") as unknown,
      },
    ]);
  });

  it("that could be anything are not repeated", () => {
    expect(JSON.stringify(faults({ "<script>alert(1)</script>": "x" }))).not.toContain("script");
  });

  it.each(["toString", "__proto__", "constructor"])("%s is no option", (name) => {
    expect(faults(JSON.parse(`{"${name}": "x"}`) as JsonObject)).toHaveLength(1); // JSON of an object
  });
});

describe("several sources", () => {
  it("the query wins, then the envelope, then the block", () => {
    const sources = [
      from({ retries: 1 }),
      from({ retries: 2, keep: "always" }, "envelope"),
      from({ retries: 3, keep: "failed", env: true }, "block"),
    ];
    const result = readOptions(sources, context);
    expect(result.ok && result.value.options).toMatchObject({ retries: 1, keep: "always", env: true });
  });

  it("a fault in a block has its position in the definition", () => {
    const block = { ...from({ retries: 99 }, "block"), place: () => ({ line: 4, column: 3 }) };
    const result = readOptions([block], context);
    expect(!result.ok && result.error.faults).toMatchObject([{ path: "x-aciproxy.retries", line: 4, column: 3 }]);
  });

  it("every fault is reported at once", () => {
    expect(faults({ retries: 99, keep: "maybe", wrong: 1 })).toHaveLength(3);
  });
});

describe("a polling of any other word", () => {
  it("is false with a warning, as in the original", () => {
    const result = readOptions([from({ polling: "yes please" })], context);
    expect(result.ok && [result.value.options.polling, result.value.warnings]).toEqual([
      "false",
      [{ path: "polling", line: 1, column: 1, message: expect.stringContaining("it was taken as false") as unknown }],
    ]);
  });
});

it.each([
  ["started", ["lease"]],
  ["true", []],
])("a lease with polling=%s has a warning where callers stop reading before the end", (polling, paths) => {
  const result = readOptions([from({ polling, lease: 600 })], context);
  expect(result.ok && result.value.warnings.map(({ path }) => path)).toEqual(paths);
});

it.each([
  [{ retryOn: "137" }, ["retryOn"]],
  [{ retryOn: "137", retries: 1 }, []],
])("rules for retries have a warning without any retries: %j", (values, paths) => {
  const result = readOptions([from(values)], context);
  expect(result.ok && result.value.warnings.map(({ path }) => path)).toEqual(paths);
});

describe("options that contradict each other", () => {
  it.each<[string, JsonObject, Partial<OptionsContext>]>([
    ["queueTimeout", { timeout: 60, queueTimeout: 61 }, {}],
    ["startTimeout", { timeout: 60, startTimeout: 61 }, {}],
    ["runTimeout", { timeout: 60, runTimeout: 61 }, {}],
    ["main", { main: "other" }, {}],
    ["lease", { lease: 600 }, { hasCallBack: true }],
  ])("%s", (path, values, changes) => {
    expect(faults(values, changes).map((fault) => fault.path)).toEqual([path]);
  });

  it("a timeout shorter than the default startTimeout is no contradiction", () => {
    expect(read({ timeout: 60 }).timeout).toBe(minute);
  });
});

it("gateways' parameters are no options", () => {
  const query = new URLSearchParams("code=secret&CLIENTID=x&subscription-key=y&polling=true");
  expect(optionsOfQuery(query, settings())).toEqual({ polling: "true" });
  expect(optionsOfQuery(query, settings({ GATEWAY_PARAMETERS: "code" }))).toHaveProperty("CLIENTID");
});

it("an option that is given twice is refused, unless it says the same or may be a list", () => {
  const of = (query: string) => optionsOfQuery(new URLSearchParams(query), settings());
  expect(of("dryRun=true&dryrun=true")).toEqual({ dryRun: "true" });
  expect(of("tags=a&tags=b")).toEqual({ tags: ["a", "b"] });
  for (const query of [
    "dryRun=true&dryrun=false",
    "array=3&Array=4",
    'array=["a"]&array=["b"]',
    "timeout=1&timeout=2",
  ]) {
    const [name = ""] = query.split("=");
    expect(faults(of(query))).toMatchObject([{ path: name, message: `${name} must be there once only.` }]);
  }
});

it("a query brings lists and mappings as JSON text, too", () => {
  expect(read({ tags: '{"team": "data", "urgent": null, "run": 7}' }).tags).toEqual({
    team: "data",
    urgent: "",
    run: "7",
  });
  expect(read({ tags: '["a=b", "c"]' }).tags).toEqual({ a: "b", c: "" });
  expect(read({ tags: "{a" }).tags).toEqual({ "{a": "" });
  const rules = { retries: 1, retryOn: '[137, "!1-5"]' };
  expect(read(rules).retryOn).toEqual(read({ retries: 1, retryOn: [137, "!1-5"] }).retryOn);
  for (const tags of ['{"a": {"b": 1}}', '[["a"]]', { a: ["b"] }])
    expect(faults({ tags })).toMatchObject([{ path: "tags" }]);
});

it("every option is described for the docs", () => {
  for (const [name, { text, schema, fallback }] of Object.entries(optionsTable)) {
    expect(text, name).toMatch(/\.$/);
    expect(fallback, name).not.toBe("");
    expect(schema, name).toHaveProperty("type");
  }
});

describe("options of an array", () => {
  it("hold the number of its children, never the items", () => {
    const options = read({ array: ["first", "second"], parallelism: "5", failFast: true, minSuccess: "90%" });
    expect(options).toMatchObject({ array: 2, parallelism: 5, failFast: true, minSuccess: "90%" });
    expect(JSON.stringify(options)).not.toContain("first");
  });

  it.each<[JsonValue, unknown]>([
    [1, 1],
    ["2", 2],
    ["90%", "90%"],
    [" 0.5 % ", "0.5%"],
    ["100%", "100%"],
  ])("minSuccess may be %j", (value, expected) => {
    expect(read({ array: 2, minSuccess: value }).minSuccess).toBe(expected);
  });

  it.each<[JsonObject, string]>([
    [{ parallelism: 5 }, "parallelism needs the option array."],
    [{ failFast: true }, "failFast needs the option array."],
    [{ minSuccess: "50%" }, "minSuccess needs the option array."],
    [{ array: 2, minSuccess: 3 }, "minSuccess must not be more than the array's 2 children."],
    [{ array: 2, minSuccess: 0 }, "minSuccess must be"],
    [{ array: 2, minSuccess: "0%" }, "minSuccess must be"],
    [{ array: 2, minSuccess: "101%" }, "minSuccess must be"],
    [{ array: 2, parallelism: 0 }, "parallelism must be"],
    [{ array: 2, group: "g", onGroupFull: "reject" }, "onGroupFull must be wait"],
    [{ pack: 2 }, "pack needs the option array"],
    [{ array: 2, pack: 61 }, "pack must be a whole number from 2 to 60"],
  ])("%j is refused", (values, message) => {
    expect(faults(values)).toEqual([expect.objectContaining({ message: expect.stringContaining(message) as unknown })]);
  });

  it("a faulty array is one fault, and not one of the options that need it too", () => {
    expect(faults({ array: 0, parallelism: 5 }).map(({ path }) => path)).toEqual(["array"]);
  });

  it.each([
    [3, 10, 3],
    ["90%", 10, 9],
    ["90%", 11, 10],
    ["1%", 10, 1],
    ["100%", 7, 7],
    ["70%", 10, 7],
  ] as const)("minSuccess %s of %i children are %i", (minSuccess, size, expected) => {
    expect(leastSuccesses(minSuccess, size)).toBe(expected);
  });
});
