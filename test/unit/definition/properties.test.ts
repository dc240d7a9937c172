import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  maskSecrets,
  parseDefinition,
  secretValues,
  viewOf,
  type Fault,
  type Parsed,
} from "../../../src/shared/definition/index.ts";
import type { JsonObject, JsonValue } from "../../../src/shared/base/json.ts";
import { accepted, defaultApiVersion, fixture, group, parse } from "./kit.ts";

const seeds = [
  "anchors.yaml",
  "init-containers.yaml",
  "plain-scalars.yaml",
  "flow-indentation.yaml",
  "options-block.yaml",
].map(fixture);

/** Names that the schema knows, and others, some of which mean something to JavaScript. */
const keys = fc.oneof(
  fc.constantFrom(
    "properties",
    "containers",
    "name",
    "image",
    "ports",
    "port",
    "resources",
    "requests",
    "cpu",
    "memoryInGB",
    "volumes",
    "secret",
    "environmentVariables",
    "value",
    "secureValue",
    "ipAddress",
    "osType",
    "Location",
    "x-aciproxy",
    "callBackUri",
    "type",
    "apiVersion",
    "__proto__",
    "constructor",
    "toString",
    "<<",
  ),
  fc.string(),
);
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(keys, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

const yamlish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        '"',
        "'",
        "|",
        ">",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "# ",
        "---\n",
        "...\n",
        "\t",
        "\r\n",
        "\uFEFF",
        "\u0000",
        "? ",
        "%",
        "@",
        "name",
        "properties",
        "containers",
        "0x",
        "1e9",
        "~",
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 80 },
  )
  .map((parts) => parts.join(""));

/** Findings that have no place in the text, or no sentence. */
function oddFindings(text: string, parsed: Parsed): readonly Fault[] {
  const lines = text.split(/\r\n?|\n/).length;
  return [...(parsed.ok ? [] : parsed.faults), ...parsed.warnings].filter(
    ({ line, column, message }) =>
      line < 1 || line > lines || column < 1 || message.length > 300 || !/^[A-Za-z][^\n]*[.?]$/.test(message),
  );
}

function sane(text: string): void {
  const parsed = parse(text);
  expect(oddFindings(text, parsed)).toEqual([]);
  if (!parsed.ok) expect(parsed.faults).not.toEqual([]);
  else {
    expect(parsed.definition.view).toEqual(viewOf(parsed.definition.body));
    expect(JSON.parse(JSON.stringify(parsed.definition.body))).toEqual(parsed.definition.body);
  }
}

vi.setConfig({ testTimeout: 60_000 }); // hundreds of runs each, on a machine that may be busy

describe("the reader never throws, and every finding has a place in the text,", () => {
  test("whatever text comes", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), yamlish), sane), { numRuns: 500 });
  });

  test("whatever JSON comes", () => {
    fc.assert(
      fc.property(json, (value) => sane(JSON.stringify(value))),
      { numRuns: 300 },
    );
  });

  test("whatever stands where a group should have something", () => {
    fc.assert(
      fc.property(fc.dictionary(keys, json), json, (properties, top) => {
        sane(group(properties, typeof top === "object" && top !== null && !Array.isArray(top) ? top : {}));
      }),
      { numRuns: 300 },
    );
  });

  test("wherever a good definition is cut, or has something put in or taken out", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.nat(),
        fc.nat(20),
        fc.oneof(yamlish, fc.string({ maxLength: 3 })),
        (seed, at, length, inserted) => {
          const start = at % seed.length;
          sane(seed.slice(0, start));
          sane(seed.slice(0, start) + inserted + seed.slice(start + length));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** JSON of which our reader takes every number and text for what it is, below names that no schema has. */
const unknownNames = fc.string({ minLength: 1 }).map((name) => `z ${name}`);
const free = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).filter((number) => !Object.is(number, -0)),
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(unknownNames, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe("what is not known here", () => {
  test("reaches the body as it was written, wherever it stands under properties, and is warned of", () => {
    fc.assert(
      fc.property(unknownNames, free, (name, value) => {
        const container = {
          name: "main",
          properties: { image: "a", resources: { requests: { cpu: 1, memoryInGB: 1 } }, [name]: value },
        };
        const properties = { osType: "Linux", restartPolicy: "Never", containers: [container], [name]: value };
        const { definition, warnings } = accepted(parse(JSON.stringify({ name: "a", properties })));
        expect(definition.body["properties"]).toEqual(properties);
        expect(JSON.stringify(definition.body["properties"])).toBe(JSON.stringify(properties));
        expect(warnings).toHaveLength(2);
      }),
    );
  });
});

test("a secret is masked and listed, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 4 }).filter((text) => text.trim().length > 3 && !/^[*.]+$/.test(text)),
      (secret) => {
        const variables = [{ name: "A", secureValue: secret }];
        const parsed = accepted(
          parse(
            group({
              containers: [
                {
                  name: "a",
                  properties: {
                    image: "a",
                    environmentVariables: variables,
                    resources: { requests: { cpu: 1, memoryInGB: 1 } },
                  },
                },
              ],
            }),
          ),
        );
        const { body } = parsed.definition;
        expect(JSON.stringify(maskSecrets(body))).toContain('"secureValue":"***"');
        expect(secretValues(body)).toContain(secret);
        expect(JSON.stringify(parsed.warnings)).not.toContain(JSON.stringify(secret).slice(1, -1));
      },
    ),
  );
});

test("limits are kept, whatever they are", () => {
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.nat(70), fc.nat(200), (text, maxDepth, maxNodes) => {
      const parsed = parseDefinition(text, { defaultApiVersion, maxDepth, maxNodes });
      const ample = parseDefinition(text, { defaultApiVersion });
      expect(parsed.ok ? parsed.definition : undefined).toEqual(parsed.ok && ample.ok ? ample.definition : undefined);
    }),
  );
});

test("the body is plain data: setting its members reaches no prototype", () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify({
        name: "a",
        properties: {
          osType: "Linux",
          restartPolicy: "Never",
          containers: [
            { name: "a", properties: { image: "a", resources: { requests: { cpu: 1, memoryInGB: 1 } }, extra: value } },
          ],
        },
      }).replaceAll('"extra"', '"__proto__"');
      const parsed = parse(text);
      if (parsed.ok) plain(parsed.definition.body);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );
});

function plain(object: JsonObject): void {
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  for (const value of Object.values(object)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === "object" && item !== null && !Array.isArray(item)) plain(item);
    }
  }
}
