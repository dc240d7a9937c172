// Longer than 350 lines: every way in which an item may land in a definition, or may not.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/shared/base/json.ts";
import { answersOf } from "../../../src/shared/definition/array/landings.ts";
import {
  arrayChild,
  childDefinition,
  distinctChildren,
  fillTemplate,
  parseDefinition,
  parseFilled,
  parseTemplate,
  readItems,
  type ArrayDefinition,
  type ArrayRules,
  type Definition,
  type Parsed,
} from "../../../src/shared/definition/index.ts";
import {
  parseSealedArray,
  parseSealedDefinition,
  sealedArrayText,
} from "../../../src/shared/security/sealed-definition.ts";
import { jobId } from "../../kit/kit.ts";

const rules = { defaultApiVersion: "2025-09-01" };

function arrayOf(array: JsonValue | undefined): ArrayRules {
  return {
    arrayOf: (inBlock) => {
      const value = array ?? inBlock;
      if (value === undefined) return undefined;
      const read = readItems(value);
      return read.ok ? read.value : "faulty";
    },
    objections: () => [],
  };
}

/** A definition in JSON, with changes of what its one container has under `properties`, and of its top. */
function text(properties: JsonObject = {}, top: JsonObject = {}): string {
  return JSON.stringify({
    name: "nightly",
    location: "westeurope",
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          properties: {
            image: "example/app:1",
            resources: { requests: { cpu: 1, memoryInGB: 1 } },
            ...properties,
          },
        },
      ],
    },
    ...top,
  });
}

const variables = (...values: readonly string[]): JsonObject => ({
  environmentVariables: values.map((value, index) => ({ name: `V${index}`, value })),
});

type Good = Parsed & { readonly ok: true };

function parsed(written: string, array?: JsonValue): Good & { readonly array: NonNullable<Good["array"]> } {
  const result = parseDefinition(written, rules, arrayOf(array));
  if (!result.ok || result.array === undefined) throw new Error(JSON.stringify(result));
  return { ...result, array: result.array };
}

/** As a worker does it: from the sealed text. */
function childrenOf({ definition }: { readonly definition: ArrayDefinition }): readonly Definition[] {
  const array = parseSealedArray(sealedArrayText(definition, undefined, jobId(1)));
  if (array === undefined) throw new Error("It can't be read back.");
  return Array.from({ length: array.size }, (_, index) => childDefinition(array, index));
}

function containerOf({ body }: Definition): unknown {
  return JSON.parse(JSON.stringify(body["properties"]), (_key, value: unknown) => value);
}

const children = (written: string, array?: JsonValue): readonly Definition[] =>
  childrenOf(parsed(written, array).array);

const faults = (written: string, array?: JsonValue): readonly string[] => {
  const result = parseDefinition(written, rules, arrayOf(array));
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path}: ${message}`);
};

describe("items are put into the definition", () => {
  it("index, item and the members of an item take the places of their names", () => {
    const [, second] = children(
      text({
        ...variables("${index}", "${item.file}", "${index}:${item.file}/${item.n}"),
        command: ["run", "${item}"],
      }),
      [
        { file: "a", n: 1 },
        { file: "b", n: 2 },
      ],
    );
    expect(second && containerOf(second)).toMatchObject({
      containers: [
        {
          properties: {
            command: ["run", '{"file":"b","n":2}'],
            environmentVariables: [{ value: "1" }, { value: "b" }, { value: "1:b/2" }],
          },
        },
      ],
    });
  });

  it("a scalar that is nothing but a reference keeps the type of the item where a number or truth value belongs", () => {
    const [first] = children(
      text({ resources: { requests: { cpu: "${item.cpu}", memoryInGB: "${item.gb}" } }, ...variables("${item.cpu}") }),
      [{ cpu: 2, gb: "1.5" }],
    );
    expect(first && containerOf(first)).toMatchObject({
      containers: [
        {
          properties: {
            resources: { requests: { cpu: 2, memoryInGB: "1.5" } },
            environmentVariables: [{ value: "2" }],
          },
        },
      ],
    });
  });

  it("$${item} stands for the text ${item}, and nothing else that begins with $${ changes", () => {
    const [first] = children(text(variables("$${item} $${item.a} $${index} $${HOME} $$$${item}")), ["x"]);
    expect(first && containerOf(first)).toMatchObject({
      containers: [
        { properties: { environmentVariables: [{ value: "${item} ${item.a} ${index} $${HOME} $$${item}" }] } },
      ],
    });
  });

  it("what is not exactly one of the references stays as it is", () => {
    const written = "${Item} ${ item } ${item.} ${items} ${index.a} $item {item}";
    const [first] = children(text(variables(written)), ["x"]);
    expect(first && containerOf(first)).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ value: written }] } }],
    });
  });

  it("the same item may come twice, and an array may be a number alone", () => {
    expect(children(text(variables("${item}")), ["a", "a"])).toHaveLength(2);
    const [, , third] = children(text(variables("${index}")), 3);
    expect(third && containerOf(third)).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ value: "2" }] } }],
    });
  });

  it("without the option array nothing is replaced, and $${item} stays what it was", () => {
    const result = parseDefinition(text(variables("${item}", "$${item}", "${index}")), rules);
    expect(result.ok && containerOf(result.definition)).toMatchObject({
      containers: [
        { properties: { environmentVariables: [{ value: "${item}" }, { value: "$${item}" }, { value: "${index}" }] } },
      ],
    });
  });

  it("the items may stand in the definition's own block, where nothing in them is replaced", () => {
    const written = text(variables("${item}"), { "x-aciproxy": { array: ["${item}", "$${index}"] } });
    const both = children(written).map((child) => containerOf(child));
    expect(both).toMatchObject(
      ["${item}", "$${index}"].map((value) => ({
        containers: [{ properties: { environmentVariables: [{ value }] } }],
      })),
    );
  });

  it("numbers of a YAML list are text as it was written", () => {
    const [first] = children(`${text(variables("${item}")).slice(0, -1)}, "x-aciproxy": {array: [007, 1.10]}}`);
    expect(first && containerOf(first)).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ value: "007" }] } }],
    });
  });

  it("the definition of an array is that of its first child, with the size of the largest", () => {
    const { definition } = parsed(text({ resources: { requests: { cpu: "${item}", memoryInGB: 1 } } }), [1, 4, 2]);
    expect(definition.view).toMatchObject({ cpu: 4, memoryGB: 1 });
  });
});

describe("faults of an array", () => {
  it.each<[string, JsonValue, string]>([
    ["0", 0, "whole number from 1 to 10000"],
    ["10,001", 10_001, "whole number from 1 to 10000"],
    ["an empty list", [], "list of 1 to 10000 items"],
    ["10,001 items", Array.from({ length: 10_001 }, () => "x"), "list of 1 to 10000 items"],
    ["text and a number", ["a", "b", 3], "item 2 is a number, and those before it are text"],
    ["text and an object", ["a", {}], "item 1 is an object"],
    ["null", ["a", null], "item 1 is null"],
    ["a list", [["a"]], "item 0 is a list"],
    ["text that is no list", "a,b", "whole number from 1 to 10000"],
    ["a NUL character", ["a", "b\0"], "item 1 has one"],
    ["a number that JSON reads as infinite", "[1, 1e999]", "numbers are finite: item 1 has another"],
    ["no number", [{ a: 1 }, { a: [NaN] }], "numbers are finite: item 1 has another"],
  ])("%s is refused, with the index of the first item that is wrong", (_what, value, message) => {
    const read = readItems(value);
    expect(read.ok ? "" : read.error).toContain(message);
  });

  it.each<[string, JsonValue, number, JsonValue | undefined]>([
    ["a number", 3, 3, undefined],
    ["a number as text", " 300 ", 300, undefined],
    ["a list as JSON text", '["a","b"]', 2, ["a", "b"]],
    ["a lookup's rows", [{ id: 1, name: "a" }, { id: 2 }], 2, [{ id: 1, name: "a" }, { id: 2 }]],
    ["numbers", [1, 2], 2, [1, 2]],
  ])("%s is taken", (_what, value, size, items) => {
    expect(readItems(value)).toEqual({ ok: true, value: { size, items } });
  });

  it("a member that an item does not have is a fault with its index, and so is one that is no scalar", () => {
    const items = [{ a: "x" }, {}, { a: null }, { a: [] }, { a: { b: 1 } }, { A: "x" }];
    expect(faults(text(variables("${item.a}")), items)).toEqual([
      expect.stringMatching(
        /^array\[1\]\.properties\.containers\[0\]\.properties\.environmentVariables\[0\]\.value: Index 1: The item has no member a\./,
      ),
      expect.stringContaining("Index 2: The item's member a must be text, a number, true or false, not null."),
      expect.stringContaining("Index 3: The item's member a must be text, a number, true or false, not a list."),
      expect.stringContaining("Index 4: The item's member a must be text, a number, true or false, not an object."),
      expect.stringContaining("Index 5: The item has no member a."),
    ]);
  });

  it("each item is judged where it lands, with its index; what depends on no item comes once", () => {
    const found = faults(text({ image: "example/${item}", command: ["a\0"] }), [
      "app:1",
      "not an image",
      "app:2",
      "$X",
    ]);
    expect(found).toEqual([
      "properties.containers[0].properties.command[0]: A command can't have a NUL character.",
      expect.stringMatching(/^array\[1\]\.properties\.containers\[0\]\.properties\.image: Index 1: image is no image/),
      expect.stringMatching(
        /^array\[3\]\.properties\.containers\[0\]\.properties\.image: Index 3: A template placeholder/,
      ),
    ]);
  });

  it("sums of cpu and memory are judged for each child", () => {
    const found = faults(text({ resources: { requests: { cpu: "${item}", memoryInGB: 1 } } }), [1, 200, 0]);
    expect(found).toEqual([
      expect.stringMatching(/^array\[1\]\.properties\.containers: Index 1: The containers together ask for more/),
      expect.stringMatching(/^array\[2\]\.properties.*cpu: Index 2: cpu must be more than 0\./),
    ]);
  });

  it("a number must come of an item where a number belongs", () => {
    const found = faults(text({ resources: { requests: { cpu: "${item}", memoryInGB: 1 } } }), ["1", "one"]);
    expect(found).toEqual([expect.stringMatching(/^array\[1\].*Index 1: cpu must be a number/)]);
  });

  it("the first fifty are reported", () => {
    const items = Array.from({ length: 200 }, () => ({}));
    expect(faults(text(variables("${item.a}")), items)).toHaveLength(50);
    expect(
      faults(
        text({ image: "${item}" }),
        Array.from({ length: 200 }, (_, n) => `not ${n}`),
      ),
    ).toHaveLength(50);
  });

  it.each<[string, string, JsonValue, string]>([
    ["name", text({}, { name: "nightly-${item}" }), ["a"], "NAME-INDEX"],
    ["apiVersion", text({}, { apiVersion: "${item}" }), ["2025-09-01"], "apiVersion"],
    ["a property's name", text({}, { tags: { "${item}": "x" } }), ["a"], "not in a property's name"],
    ["an option", text({}, { "x-aciproxy": { tags: ["${item}"] } }), ["a"], "whole array's"],
    ["the name of a vault's secret", text(variables("${keyvault:${item}}")), ["a"], "can't choose the secret"],
    ["${item} of a number", text(variables("${item}")), 3, "has no items"],
    ["${item.a} of a number", text(variables("${item.a}")), 3, "has no items"],
    ["${item.a} of text", text(variables("${item.a}")), ["a"], "no objects"],
  ])("a gap in %s is a fault", (_what, written, array, message) => {
    const [first = "", ...more] = faults(written, array);
    expect(first).toContain(message);
    expect(more).toEqual([]);
  });

  it("a faulty array leaves the definition unjudged, since nothing is known of its items", () => {
    expect(parseDefinition(text({ image: "${item}" }), rules, arrayOf(0))).toMatchObject({ ok: false, faults: [] });
  });

  it("an array that would take too long to judge is refused", () => {
    const many = Array.from({ length: 400 }, (_, n) => ({ name: `V${n}`, value: "x" }));
    const written = text({ image: "example/${item}", environmentVariables: many });
    const items = Array.from({ length: 10_000 }, (_, n) => `app:${n}`);
    expect(faults(written, items)).toEqual([expect.stringContaining("too large")]);
    expect(faults(text(variables("${item}")), ["x".repeat(7_000_000)])).toEqual([
      expect.stringContaining("Index 0: The definition is too large with this item"),
    ]);
  });
});

describe("warnings of an array", () => {
  const warnings = (written: string, array: JsonValue): readonly string[] =>
    parseDefinition(written, rules, arrayOf(array)).warnings.map(({ message }) => message);

  it("a shell's variable that is called item or index is one", () => {
    const shell = (line: string): readonly string[] => warnings(text({ command: ["sh", "-c", line] }), ["a"]);
    for (const line of ["for item in a b; do echo $item; done", "while read item; do :; done", "index=1; echo $index"])
      expect(shell(line), line).toEqual([expect.stringContaining("variable of the shell")]);
    for (const line of ["echo ${item}", "for file in *; do :; done", "--item=${item}"])
      expect(shell(line), line).toEqual([]);
  });

  it("what is odd about many items comes once, with the index of the first", () => {
    const found = warnings(text(variables("${item}")), ["a", "{{b}}", "{{c}}"]);
    expect(found).toEqual([expect.stringMatching(/^Index 1: A template placeholder/)]);
  });

  it("what is odd about the definition comes once, and says nothing of an index", () => {
    const written = text({ ...variables("${item}"), unknownProperty: 1 });
    const found = warnings(written, ["a", "{{b}}"]);
    expect(found).toEqual([
      expect.stringMatching(/^unknownProperty has no effect/),
      expect.stringMatching(/^Index 1: A template placeholder/),
    ]);
  });

  it("an item that is too long to be a variable is one", () => {
    expect(warnings(text(variables("${index}")), ["a", "x".repeat(40_000)])).toEqual([
      expect.stringContaining("Index 1: The item has more than 32000 characters"),
    ]);
  });
});

describe("vault references in an array", () => {
  const secure = (value: string): JsonObject => ({ environmentVariables: [{ name: "S", secureValue: value }] });

  it("the author's stay references, wherever items shift them", () => {
    const all = children(text(secure("${item}/${keyvault:job-a}/${item}/${keyvault:job-b}")), ["x", "longer"]);
    expect(all.map(({ view }) => view.vaultReferences.map(({ name, start }) => [name, start]))).toEqual([
      [
        ["job-a", 2],
        ["job-b", 22],
      ],
      [
        ["job-a", 7],
        ["job-b", 32],
      ],
    ]);
  });

  it("an item's are text", () => {
    const [first] = children(text(secure("${item}${keyvault:job-a}")), ["${keyvault:job-stolen}"]);
    expect(first?.view.vaultReferences.map(({ name }) => name)).toEqual(["job-a"]);
  });

  it("a release that knows no arrays can't read one's definition", () => {
    const { array } = parsed(text(variables("${item}")), ["a"]);
    expect(parseSealedDefinition(sealedArrayText(array.definition, undefined, jobId(1)))).toBeUndefined();
    expect(parseSealedArray(JSON.stringify({ name: "a", apiVersion: "b", body: {} }))).toBeUndefined();
  });

  it("an item of which a part is kept secret by Azure is a secret variable", () => {
    expect(arrayChild(parsed(text(secure("${item.key}")), [{ key: "k" }]).array.definition, 0)).toEqual({
      index: 0,
      size: 1,
      item: { key: "k" },
      isSecret: true,
    });
    expect(arrayChild(parsed(text(variables("${item}")), ["a"]).array.definition, 0).isSecret).toBe(false);
  });

  it.each([
    [{ command: ["run", "--password", "${item.key}"] }, true],
    [{ command: ["run", "--password=${item.key}"] }, true],
    [{ command: ["sh", "-c", "PGPASSWORD=${item.key} psql"] }, true],
    [{ environmentVariables: [{ name: "DB", value: "postgres://me:${item.key}@db/x" }] }, true],
    [{ environmentVariables: [{ name: "DB", value: "Server=db;Password=${item.key}" }] }, true],
    [{ command: ["run", "--password", "${index}"] }, false],
    [{ command: ["run", "--password", "fixed", "${item.key}"] }, false],
  ])("a part of it in what looks like a secret makes it one, too: %j", (more, isSecret) => {
    const { definition } = parsed(text(more), [{ key: "k" }]).array;
    expect(arrayChild(definition, 0).isSecret).toBe(isSecret);
  });
});

describe("a template's run as an array", () => {
  function run(definition: string, parameters: JsonObject, given: JsonObject, array: JsonValue): Parsed {
    const template = parseTemplate(
      JSON.stringify({ ...(JSON.parse(definition) as JsonObject), "x-aciproxy-parameters": parameters }),
      { maxDepth: 64, maxNodes: 50_000 },
    );
    if (!template.ok) throw new Error(JSON.stringify(template.error));
    const filled = fillTemplate(template.value, given);
    if (!filled.ok) throw new Error(JSON.stringify(filled.error));
    return parseFilled(filled.value, rules, arrayOf(array));
  }

  it("gaps that the template's author wrote are filled, those in a parameter's value are text", () => {
    const result = run(
      text(variables("${param:p}-${item}-$${item}")),
      { p: {} },
      { p: "${item}${index}${keyvault:job-a}" },
      ["x"],
    );
    if (!result.ok || !result.array) throw new Error(JSON.stringify(result));
    const [first] = childrenOf(result.array);
    expect(first && containerOf(first)).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ value: "${item}${index}${keyvault:job-a}-x-${item}" }] } }],
    });
    expect(first?.view.vaultReferences).toEqual([]);
  });

  it("without array they are text as before", () => {
    const template = parseTemplate(text(variables("${item}")), { maxDepth: 64, maxNodes: 50_000 });
    const filled = template.ok ? fillTemplate(template.value, {}) : template;
    const result = filled.ok ? parseFilled(filled.value, rules) : undefined;
    expect(result?.ok === true && containerOf(result.definition)).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ value: "${item}" }] } }],
    });
  });
});

describe("whatever items say", () => {
  const nasty = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "${item}",
      "$${item}",
      "${index}",
      "${item.a}",
      "${keyvault:job-a}",
      "${param:a}",
      "*a",
      "&a",
      "<<",
      "- x",
      "{{ a }}",
      "@{x}",
      "__proto__",
      "",
      " ",
      "a: b",
      '"',
      "\\",
      "\u2028",
      "~",
      "null",
      "1e3",
      "x\n",
    ),
    fc.string({ unit: fc.constantFrom("$", "{", "}", "item", "index", ".", "a", ":", "\n", "keyvault") }),
  );

  it("they never become structure, a gap or a reference: a child has the item's text where the author put it, and nothing else changes", () => {
    const written = text({
      command: ["run", "${item.a}", "x${item.b}y${index}"],
      ...variables("${item.a}", "${keyvault:job-a}${item.b}", "$${item.a}"),
    });
    fc.assert(
      fc.property(fc.array(fc.record({ a: nasty, b: nasty }), { minLength: 1, maxLength: 5 }), (items) => {
        const clean = items.map(({ a, b }) => ({ a: a.replaceAll("\0", ""), b: b.replaceAll("\0", "") }));
        const all = children(written, clean);
        for (const [index, child] of all.entries()) {
          const { a = "", b = "" } = clean[index] ?? {};
          expect(containerOf(child)).toEqual({
            osType: "Linux",
            restartPolicy: "Never",
            containers: [
              {
                name: "main",
                properties: {
                  image: "example/app:1",
                  resources: { requests: { cpu: 1, memoryInGB: 1 } },
                  command: ["run", a, `x${b}y${index}`],
                  environmentVariables: [
                    { name: "V0", value: a },
                    { name: "V1", value: `\${keyvault:job-a}${b}` },
                    { name: "V2", value: "${item.a}" },
                  ],
                },
              },
            ],
          });
          expect(child.view.vaultReferences.map(({ name, start }) => [name, start])).toEqual([["job-a", 0]]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a child's definition is what the same definition would be that was written in full", () => {
    const gaps = { command: ["run", "${item}"], ...variables("a${item}b"), image: "example/app:${index}" };
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), (items) => {
        const clean = items.map((item) => item.replaceAll("\0", ""));
        const all = children(text(gaps, { tags: { item: "t${index}" } }), clean);
        for (const [index, item] of clean.entries()) {
          const full = parseDefinition(
            text(
              { command: ["run", item], ...variables(`a${item}b`), image: `example/app:${index}` },
              { tags: { item: `t${index}` } },
            ),
            rules,
          );
          expect(full.ok && full.definition.body).toEqual(all[index]?.body);
        }
      }),
    );
  });

  it("children that are judged as one are judged as they would be alone", () => {
    const judge = (item: string): unknown => {
      const full = parseDefinition(
        text({ command: ["run", item], ...variables(item, `s ${item}`) }, { tags: { t: item } }),
        rules,
      );
      return [
        full.ok,
        full.ok ? [] : full.faults.map(({ message }) => message),
        full.warnings.map(({ message }) => message),
      ];
    };
    const seen = new Map<string, { readonly item: string; readonly judged: unknown }>();
    fc.assert(
      fc.property(nasty, (item) => {
        const key = [answersOf(item, "argument"), answersOf(item, "value"), answersOf(`s ${item}`, "value")].join();
        const judged = judge(item);
        const before = seen.get(key);
        if (before === undefined) seen.set(key, { item, judged });
        else expect(judged, JSON.stringify([item, before.item])).toEqual(before.judged);
      }),
      { numRuns: 3000 },
    );
    expect(seen.size).toBeGreaterThan(4);
  });

  it("so a definition of many items that land there is judged once more for all when it runs again", () => {
    const free = text(
      { ...variables("${item}", "${index}"), command: ["run", "${item}"] },
      { tags: { "a.b": "${index}" } },
    );
    const many = Array.from({ length: 1000 }, (_, n) => `item ${n}`);
    const all = many.keys();
    expect(distinctChildren(parsed(free, many).array.definition, all)).toEqual([0]);
    const image = text({ image: "example/${item}:1", ...variables("${index}") });
    const { definition } = parsed(image, ["a", "b", "a", "c"]).array;
    expect(distinctChildren(definition, [0, 1, 2, 3])).toEqual([0, 1, 3]);
    expect(distinctChildren(definition, [1, 2])).toEqual([1, 2]);
    const program = text({ command: ["${item}", "x"] });
    expect(distinctChildren(parsed(program, ["a", "b"]).array.definition, [0, 1])).toEqual([0, 1]);
  });
});
