import { describe, expect, test } from "vitest";
import { parseDefinition, secretValues } from "../../../src/shared/definition/index.ts";
import {
  accepted,
  defaultApiVersion,
  definitionOf,
  faultsOf,
  fixture,
  group,
  parse,
  parseFixture,
  reported,
  warningsOf,
} from "./kit.ts";

const small = fixture("init-containers.yaml");

describe("text", () => {
  test("a byte order mark is passed over, and places count without it", () => {
    expect(fixture("bom.yaml").startsWith("\uFEFF")).toBe(true);
    expect(accepted(parseFixture("bom.yaml")).definition.name).toBe("with-bom");
    expect(faultsOf("\uFEFFname: a--b\nproperties: {osType: Linux, containers: []}")[0]).toMatchObject({
      line: 1,
      column: 1,
    });
  });

  test.each([
    ["CR LF", small.replaceAll("\n", "\r\n")],
    ["CR", small.replaceAll("\n", "\r")],
    ["no final newline", small.trimEnd()],
    ["a document's start and end", `%YAML 1.2\n---\n${small}...\n`],
    ["comments and blank lines around", `# first\n\n${small}\n# last\n`],
  ])("%s gives the same definition", (_, text) => {
    expect(definitionOf(text)).toEqual(definitionOf(small));
  });

  test("lines end at LF, CR LF and CR alike, and columns count from 1", () => {
    const text = "name: a\r\nproperties:\r  osType: Linux\n  containers:\n  - name: A\n";
    expect(faultsOf(text).map(({ path, line, column }) => [path, line, column])).toEqual([
      ["properties.containers[0].name", 5, 5],
      ["properties.containers[0].properties", 5, 5],
    ]);
  });

  test("a tab that indents is reported as such, with its line", () => {
    expect(parseFixture("tabs.yaml")).toMatchObject({
      ok: false,
      faults: [{ path: "", line: 3, message: "A tab indents this line; YAML takes only spaces there." }],
    });
    expect(faultsOf("name: a\nproperties:\n  containers:\n  -\tname: b\n\t  x: 1\n")[0]?.message).toContain("A tab");
  });

  test.each([
    ["", 1],
    ["  \n\n", 1],
    ["# nothing\n", 1],
    ["---\n", 1],
  ])("an empty text is one fault (%j)", (text, line) => {
    expect(faultsOf(text)).toEqual([
      {
        path: "",
        line,
        column: 1,
        message: "The text is empty; send a container group with name, location and properties.",
      },
    ]);
  });

  test.each([
    ["- name: a\n", "list"],
    ["[1, 2]", "list"],
    ["just words", "scalar"],
    ["42", "scalar"],
    ['"text"', "scalar"],
  ])("a top that is no mapping is one fault (%j)", (text, kind) => {
    expect(faultsOf(text)).toHaveLength(1);
    expect(faultsOf(text)[0]).toMatchObject({
      path: "",
      line: 1,
      message: expect.stringContaining(`not a ${kind}`) as string,
    });
  });

  test.each([
    ["two with ---", `${small}---\n${small}`, 31],
    ["two with --- each", `---\n${small}---\n${small}`, 32],
    ["two with ... between", `${small}...\n${small}`, 31],
    ["an empty second one", `${small}---\n`, 31],
    ["three", "a: 1\n---\nb: 2\n---\nc: 3\n", 4],
  ])("more than one document is refused, with the place of the next (%s)", (_, text, line) => {
    expect(faultsOf(text)).toEqual([
      {
        path: "",
        line,
        column: 1,
        message: "The text holds more than one YAML document; send one container group at a time.",
      },
    ]);
  });

  test.each([
    ["truncated in quotes", small.slice(0, small.indexOf("'2023") + 4), "no closing quote"],
    ["truncated JSON", group().slice(0, -20), "is the text complete?"],
    ["a missing comma", '{"name": "a" "location": "b"}', "comma"],
    ["no colon", "name: a\nlocation\nproperties: {}\n", "':'"],
    ["no blank after the colon", '"name":a\n', "space is missing"],
    ["wrong indentation", "name: a\nproperties:\n   osType: Linux\n  containers: []\n", "indentation"],
    ["a value that begins with @", "name: @name\n", "must stand in quotes"],
    ["a value that begins with %", "name: %name%\n", "must stand in quotes"],
    ["an unknown escape", 'name: "C:\\data"\n', "backslash"],
    ["a control character", "name: a\u0007b\n", "control character"],
    ["a null byte", "name: a\u0000b\n", "control character"],
    ["an alias to nothing", "name: *nothing\n", "names no anchor"],
    ["an alias inside its own anchor", "name: a\nproperties: &p\n  containers: *p\n", "inside the value"],
    ["an alias inside its own list", "name: a\nproperties: &p [1, *p]\n", "inside the value"],
    ["braces of a template", "name: {{ name }}\n", "template placeholder"],
    ["a list as a name", "[a, b]: c\n", "name must be text"],
    ["no name before the colon", ": value\n", "name is missing"],
  ])("%s is a clear fault with a place", (_, text, message) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toContain(message);
    expect(faults[0]?.line).toBeGreaterThan(0);
  });

  test("no message quotes the text", () => {
    for (const mark of [
      "hunter2",
      "!hunter2",
      "*hunter2",
      "&hunter2 &hunter2",
      "@hunter2",
      "{hunter2",
      '"hunter2',
      "!<hunter2> x",
      "!h!hunter2 x",
    ]) {
      for (const text of [`name: ${mark}`, `name: a\n  - ${mark}`, `${mark}: {}`, `properties:\n  ${mark}`]) {
        expect(JSON.stringify(faultsOf(text).map(({ message }) => message))).not.toContain("hunter2");
      }
    }
  });
});

describe("indentation that older readers took", () => {
  test("lines of quoted text and of braces are read as if they were indented, with a warning each", () => {
    const { definition, warnings } = accepted(parseFixture("flow-indentation.yaml"));
    const [secret] = secretValues(definition.body);
    expect(secret).toBe("bm90IGEgcmVh bCBjZXJ0aWZp Y2F0ZQ==");
    expect(warnings.map(({ line }) => line)).toEqual([8, 24, 25]);
  });

  test("places after them are those of the text as it was sent", () => {
    const text = fixture("flow-indentation.yaml").replace("mountPath: /certificate", "mountPath: a:b");
    expect(faultsOf(text)).toMatchObject([{ line: 19, column: 29 }]);
    const inside = 'name: a\nproperties: {\n"osType": "Plan9", "containers": []}\n';
    expect(faultsOf(inside).map(({ path, line, column }) => [path, line, column])).toEqual([
      ["properties.osType", 3, 1],
      ["properties.containers", 3, 20],
    ]);
  });
});

describe("anchors, merge keys and tags", () => {
  test("anchors and merge keys are written out, keys beside them win", () => {
    const { view } = accepted(parseFixture("anchors.yaml")).definition;
    expect(view.images).toEqual(["demo.azurecr.io/tool:1", "demo.azurecr.io/tool:2"]);
    expect([view.cpu, view.memoryGB]).toEqual([1, 2]);
  });

  test("a key written before or after a merge key wins, and the first of several sources", () => {
    const tags = (text: string) => definitionOf(group().replace('"name"', `${text}\n "name"`)).body["tags"];
    expect(group({ later: { "<<": "plain" } })).toContain('"<<"');
    expect(definitionOf(group({ later: { "<<": "plain" } })).body["properties"]).toMatchObject({
      later: { "<<": "plain" },
    });
    expect(tags('"tags": {a: "1", <<: {a: "2", b: "2"}},')).toEqual({ a: "1", b: "2" });
    expect(tags('"tags": {<<: {a: "2", b: "2"}, a: "1"},')).toEqual({ a: "1", b: "2" });
    expect(tags('"tags": {<<: [{a: "1"}, {a: "2", b: "2"}]},')).toEqual({ a: "1", b: "2" });
  });

  test("a key written out wins over one that came by a merge key in other letters, before it or after it", () => {
    const requests = (text: string) => group().replace(/\{\s*"cpu": 1,\s*"memoryInGB": 1.5\s*\}/, text);
    for (const text of [
      "{cpu: 1, memoryInGB: 2, <<: {CPU: 4, memoryInGb: 8}}",
      "{<<: {CPU: 4, memoryInGb: 8}, cpu: 1, memoryInGB: 2}",
    ]) {
      expect(JSON.stringify(definitionOf(requests(text)).body)).toContain('"requests":{"cpu":1,"memoryInGB":2}');
      expect(warningsOf(requests(text))).toEqual([]);
    }
    const both = requests("{<<: [{CPU: 1, memoryInGB: 2}, {cpu: 4}]}");
    expect(JSON.stringify(definitionOf(both).body)).toContain('"requests":{"CPU":1,"memoryInGB":2}');
    const tagged = group().replace('"name"', '"tags": {Team: "a", <<: {team: "b"}},\n "name"');
    expect(definitionOf(tagged).body["tags"]).toEqual({ Team: "a" });
    const versioned = group().replace('"name"', '"apiVersion": "2023-05-01", <<: {APIVERSION: 2021-09-01},\n "name"');
    expect(definitionOf(versioned).apiVersion).toBe("2023-05-01");
    const options = group().replace('"name"', '"x-aciproxy": {timeout: 5, <<: {Timeout: 7}},\n "name"');
    expect(accepted(parse(options)).block?.values).toEqual({ timeout: 5 });
  });

  test("of two merge keys in one mapping the last counts, with a warning, as of any key", () => {
    const text = group().replace('"name"', '"tags": {<<: {a: "1", b: "1"}, <<: {a: "2", c: "2"}, c: "3"},\n "name"');
    expect(definitionOf(text).body["tags"]).toEqual({ a: "2", b: "1", c: "3" });
    expect(warningsOf(text)).toMatchObject([
      { line: 2, column: 33, message: expect.stringContaining("second merge key") as string },
    ]);
  });

  test.each(["name: a\n<<: text\n", "name: a\n<<: [1]\n", "name: a\n<<:\n"])(
    "a merge key without a mapping is a fault (%j)",
    (text) => {
      expect(faultsOf(text)).toMatchObject([{ line: 2, message: expect.stringContaining("merge key") as string }]);
    },
  );

  test.each([
    "!!binary aGk=",
    "!!set {a}",
    "!!timestamp 2020-01-01",
    "!custom x",
    "!!int many",
    "!!map []",
    "!env NAME",
  ])("a tag outside the core schema is refused (%s)", (value) => {
    expect(faultsOf(`name: a\nlocation: ${value}\n`)).toMatchObject([{ path: "location", line: 2 }]);
  });

  test("tags of the core schema are taken", () => {
    const text =
      "name: !!str 123\nlocation: !<tag:yaml.org,2002:str> westeurope\nproperties: !!map\n  osType: ! Linux\n  containers: !!seq\n  - name: a\n    properties:\n      image: a\n      resources: {requests: {cpu: !!int '1', memoryInGB: !!float 2}}\n";
    const { name, view } = definitionOf(text);
    expect([name, view.cpu, view.memoryGB]).toEqual(["123", 1, 2]);
  });

  test("%TAG directives are refused", () => {
    expect(faultsOf("%TAG !e! tag:example.org,2000:\n---\nname: a\n")[0]?.message).toContain("%TAG");
  });
});

describe("keys", () => {
  test("of a duplicate key the last counts, and a warning has its place", () => {
    const text = group()
      .replace('"location"', '"location": "eastus", "location"')
      .replace('"osType"', '"osType": "Windows", "osType"');
    expect(definitionOf(text)).toEqual(definitionOf(group()));
    expect(warningsOf(text)).toEqual([
      { path: "location", line: 3, column: 24, message: "Written twice in one mapping; the last one counts." },
      { path: "properties.osType", line: 5, column: 24, message: "Written twice in one mapping; the last one counts." },
    ]);
  });

  test("keys that mean something to JavaScript are kept as own data and reach nothing else", () => {
    const text = group({}, {}).replace(
      '"properties": {',
      '"properties": {"__proto__": {"osType": "Windows"}, "constructor": 1, "toString": {"__proto__": 2},',
    );
    const { body, view } = definitionOf(text);
    expect(view.restartPolicy).toBe("Never");
    expect(JSON.stringify(body["properties"])).toContain(
      '"__proto__":{"osType":"Windows"},"constructor":1,"toString":{"__proto__":2}',
    );
    expect(reported(warningsOf(text)).join()).toMatch(/__proto__.*constructor.*toString/);
    expect(Object.getPrototypeOf(body["properties"])).toBe(Object.prototype);
    expect({}).not.toHaveProperty("osType");
  });

  test("numbers and words as keys are text", () => {
    const { body } = definitionOf(group().replace('"name"', '"tags": {8080: "a", true: "b", 1.10: "c"}, "name"'));
    expect(body["tags"]).toEqual({ "8080": "a", true: "b", "1.10": "c" });
  });
});

describe("JSON", () => {
  test("is read by the same reader, tabs and all", () => {
    const value: unknown = JSON.parse(group());
    for (const indent of [undefined, 2, "\t"]) {
      expect(definitionOf(JSON.stringify(value, null, indent))).toEqual(definitionOf(group()));
    }
  });

  test("escapes are undone", () => {
    const text = group({}, { tags: { a: '\u00e9\u{1F600}\n"\\/\t' } });
    const escaped = text.replace(
      /[\u0080-\uFFFF]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    expect(definitionOf(escaped).body["tags"]).toEqual({ a: '\u00e9\u{1F600}\n"\\/\t' });
  });
});

describe("limits", () => {
  test("an alias bomb is refused, deep or wide", () => {
    const levels = Array.from(
      { length: 20 },
      (_, index) => `l${index + 1}: &l${index + 1} [*l${index}, *l${index}, *l${index}]`,
    );
    expect(faultsOf(`l0: &l0 lol\n${levels.join("\n")}`)).toMatchObject([
      { message: expect.stringContaining("too large") as string },
    ]);
    const long = `a: &a "${"x".repeat(200_000)}"\nb: [${Array.from({ length: 1000 }, () => "*a").join(", ")}]`;
    expect(faultsOf(long)).toMatchObject([{ message: expect.stringContaining("too large") as string }]);
  });

  test("a bomb of merge keys is refused", () => {
    const maps = Array.from(
      { length: 300 },
      (_, index) => `m${index + 1}: &m${index + 1} {<<: *m${index}, k${index}: {a: 1, b: 2}}`,
    );
    expect(faultsOf(`m0: &m0 {k: 1}\n${maps.join("\n")}`)).toMatchObject([
      { message: expect.stringContaining("too large") as string },
    ]);
  });

  test("collections inside each other are bounded, aliases counted", () => {
    const nested = (depth: number) => `name: a\nx: ${"[".repeat(depth)}${"]".repeat(depth)}\n`;
    expect(reported(faultsOf(nested(63))).join()).not.toContain("inside each other");
    expect(reported(faultsOf(nested(64))).join()).toContain("inside each other");
    const aliased = `name: a\nx: &x ${"[".repeat(40)}${"]".repeat(40)}\ny: ${"[".repeat(40)}*x${"]".repeat(40)}\n`;
    expect(reported(faultsOf(aliased)).join()).toContain("inside each other");
  });

  test("the number of nodes is bounded before all of them are read", () => {
    const many = `name: a\nx: [${"1,".repeat(60_000)}1]\n`;
    const parsed = parseDefinition(many, { defaultApiVersion, maxNodes: 50_000 });
    expect(parsed).toMatchObject({
      ok: false,
      faults: [{ message: "The definition has too many parts; make it smaller." }],
    });
    expect(parse(many)).toMatchObject({ ok: false, faults: [{ path: "properties" }] });
  });

  test("at most a hundred faults are reported one by one, in the order of the text", () => {
    const faults = faultsOf(group({ containers: Array.from({ length: 60 }, () => ({ name: "A", properties: {} })) }));
    expect(faults).toHaveLength(101);
    expect(faults.at(-1)?.message).toMatch(/^\d+ more faults not shown/);
    const lines = faults.slice(0, 100).map(({ line }) => line);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });
});
