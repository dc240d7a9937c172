import { describe, expect, test } from "vitest";
import {
  fillTemplate,
  parseFilled,
  parseTemplate,
  type Parsed,
  type Template,
} from "../../../src/shared/definition/index.ts";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { parseSealedDefinition, sealedText } from "../../../src/shared/security/sealed-definition.ts";
import { resolveVaultReferences } from "../../../src/shared/definition/index.ts";
import { job } from "../../kit/kit.ts";

const rules = { defaultApiVersion: "2025-09-01" };
const limits = { maxDepth: 64, maxNodes: 50_000 };

const nightly = `
x-aciproxy-parameters:
  image: {type: string, pattern: 'example/[a-z]+:[0-9.]+'}
  cpu: {type: number, default: 1}
  args: {type: list, default: [run, now]}
  day: {default: 007}
  verbose: {type: boolean, default: false}
  password: {secret: true}
x-aciproxy-allow: [retries]
name: nightly-\${param:day}
location: westeurope
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: main
      properties:
        image: \${param:image}
        command: \${param:args}
        resources: {requests: {cpu: "\${param:cpu}", memoryInGB: 1}}
        environmentVariables:
          - {name: DAY, value: "day \${param:day} of \$\${month}"}
          - {name: VERBOSE, value: "\${param:verbose}"}
          - {name: PASSWORD, secureValue: "\${param:password}"}
          - {name: TOKEN, secureValue: "\${keyvault:job-token}"}
`;

function templateOf(text: string): Template {
  const parsed = parseTemplate(text, limits);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function run(template: Template, given: JsonObject): Parsed & { readonly ok: true } {
  const filled = fillTemplate(template, given);
  if (!filled.ok) throw new Error(JSON.stringify(filled.error));
  const parsed = parseFilled(filled.value, rules);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed;
}

const faultsOf = (text: string): readonly string[] => {
  const parsed = parseTemplate(text, limits);
  return parsed.ok ? [] : parsed.error.map(({ path, line, message }) => `${path}:${line}: ${message}`);
};

const good = { image: "example/app:1.2", password: "hunter2" };

describe("a template's values", () => {
  const template = templateOf(nightly);

  test("keep their types where a scalar is one reference, and become text within one", () => {
    const { definition } = run(template, { ...good, cpu: 2, args: ["a", "b c"], verbose: true });
    expect(definition.name).toBe("nightly-007");
    expect(definition.body["properties"]).toMatchObject({
      containers: [
        {
          properties: {
            image: "example/app:1.2",
            command: ["a", "b c"],
            resources: { requests: { cpu: 2 } },
            environmentVariables: [
              { value: "day 007 of ${month}" },
              { value: "true" },
              { secureValue: "hunter2" },
              { secureValue: "${keyvault:job-token}" },
            ],
          },
        },
      ],
    });
  });

  test("are taken by name in any letter case, and text that is exactly a number or truth value counts as one", () => {
    const { definition } = run(template, { IMAGE: "example/a:1", Password: "x", cpu: "0.5", verbose: "True" });
    expect(JSON.stringify(definition.body)).toContain('"cpu":0.5');
    expect(JSON.stringify(definition.body)).toContain('"value":"true"');
  });

  test("are refused all at once, each with its name, its place in the template and what is allowed", () => {
    const filled = fillTemplate(template, { image: "evil/app", cpu: "two", args: "run", verbos: true, day: null });
    expect(filled.ok ? [] : filled.error).toEqual([
      {
        path: "parameters.image",
        line: 3,
        column: 3,
        message: "Parameter image must be text and must match example/[a-z]+:[0-9.]+.",
      },
      { path: "parameters.cpu", line: 4, column: 3, message: "Parameter cpu must be a number." },
      { path: "parameters.args", line: 5, column: 3, message: "Parameter args must be a list of at most 1000 texts." },
      {
        path: "parameters.verbos",
        line: 1,
        column: 1,
        message: "The template has no parameter verbos; is verbose meant?",
      },
      {
        path: "parameters.password",
        line: 8,
        column: 3,
        message: "Parameter password is missing; it has no default and must be text.",
      },
    ]);
  });

  test("of unknown parameters without end cost little", () => {
    const names = Array.from({ length: 256 }, (_, n) => `parameter-of-some-length-${n}`);
    const declared = Object.fromEntries(names.map((name) => [name, { default: "" }]));
    const args = names.map((name) => `\${param:${name}}`);
    const template = templateOf(JSON.stringify({ name: "a", "x-aciproxy-parameters": declared, args }));
    const given = Object.fromEntries(Array.from({ length: 15_000 }, (_, n) => [`parameter-of-some-lemgth-${n}`, ""]));
    const begun = performance.now();
    const filled = fillTemplate(template, given);
    expect(performance.now() - begun).toBeLessThan(2000);
    const faults = filled.ok ? [] : filled.error;
    expect(faults).toHaveLength(51);
    expect(faults[49]?.message).toMatch(/is parameter-of-some-length-49 meant\?$/);
    expect(faults[50]?.message).toBe("14950 more faults not shown; fix these first.");
  });

  test("in lists without end cost little to compare with patterns", () => {
    const pattern = "(?:[a-z0-9]{1,20}-){0,8}[a-z]{0,40}";
    const names = Array.from({ length: 100 }, (_, n) => `p${n}`);
    const declared = Object.fromEntries(names.map((name) => [name, { type: "list", pattern }]));
    const args = Object.fromEntries(names.map((name) => [name, `\${param:${name}}`]));
    const template = templateOf(JSON.stringify({ name: "a", "x-aciproxy-parameters": declared, args }));
    const begun = performance.now();
    const filled = fillTemplate(
      template,
      Object.fromEntries(names.map((name) => [name, Array<string>(1000).fill("")])),
    );
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(filled.ok ? [] : filled.error[0]?.message).toContain("too long to be compared with a pattern");
  });

  test("are judged where they stand, and the fault names their parameter", () => {
    const filled = fillTemplate(templateOf(nightly.replace(", pattern: 'example/[a-z]+:[0-9.]+'", "")), {
      ...good,
      image: "<image>",
    });
    if (!filled.ok) throw new Error("The values fit their types.");
    const parsed = parseFilled(filled.value, rules);
    expect(parsed.ok ? [] : parsed.faults).toMatchObject([
      {
        path: "properties.containers[0].properties.image",
        line: 18,
        message: expect.stringMatching(/The value comes from parameter image\.$/) as string,
      },
    ]);
  });

  test("can't make a definition larger than one may be, whatever aliases name them", () => {
    const many = `x-aciproxy-parameters: {v: {}}\nname: n\ntags:\n${"x"
      .repeat(400)
      .split("")
      .map((_, index) => `  t${index}: "\${param:v}"`)
      .join("\n")}`;
    expect(fillTemplate(templateOf(many), { v: "x".repeat(100_000) })).toMatchObject({
      ok: false,
      error: [{ message: "The definition is too large with these parameters; give shorter values." }],
    });
  });
});

describe("a value is inert", () => {
  const text = `
x-aciproxy-parameters: {v: {}, s: {secret: true}, l: {type: list, default: []}}
name: inert
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: main
      properties:
        image: example/app:1
        command: \${param:l}
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        environmentVariables:
          - {name: V, value: "\${param:v}"}
          - {name: W, value: "a \${param:v} b"}
          - {name: S, secureValue: "\${param:s}\${keyvault:job-own}\${param:s}"}
`;
  const corpus = [
    "${keyvault:job-x}",
    "${keyvault:job-",
    "x}${keyvault:job-x}",
    "${param:s}",
    "$${param:v}",
    "${index}",
    "a: b\n- c",
    '"}, {"name": "X", "value": "y"',
    "'\"\\",
    "*anchor &anchor !!int 1",
    "\ud800",
    "__proto__",
    "<<",
    "null",
    "[a, b]",
    "x".repeat(100_000),
  ];

  test.each(corpus)("%j changes no structure, and nothing in it is resolved", (value) => {
    const { definition } = run(templateOf(text), { v: value, s: value, l: [value] });
    const sealed = sealedText(definition, undefined, job().id);
    const opened = parseSealedDefinition(sealed);
    if (opened === undefined) throw new Error("What was sealed can be opened.");
    const body = resolveVaultReferences(opened.body, opened.view.vaultReferences, () => "RESOLVED");
    expect(body["properties"]).toEqual({
      osType: "Linux",
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          properties: {
            image: "example/app:1",
            command: [value],
            resources: { requests: { cpu: 1, memoryInGB: 1 } },
            environmentVariables: [
              { name: "V", value },
              { name: "W", value: `a ${value} b` },
              { name: "S", secureValue: `${value}RESOLVED${value}` },
            ],
          },
        },
      ],
    });
  });

  test("one that no group may have is refused, with its parameter's name", () => {
    const filled = fillTemplate(templateOf(text), { v: "\u0000", s: "x" });
    const parsed = filled.ok ? parseFilled(filled.value, rules) : undefined;
    expect(JSON.stringify(parsed)).toContain("can't have a NUL character. The value comes from parameter v.");
  });

  test("a release that does not know of templates can't open one whose values look like references", () => {
    const { definition } = run(templateOf(text), { v: "${keyvault:job-x}", s: "y" });
    expect(JSON.parse(sealedText(definition, undefined, job().id))).not.toHaveProperty("body");
    const plain = run(templateOf(text), { v: "x", s: "y" });
    expect(JSON.parse(sealedText(plain.definition, undefined, job().id))).toHaveProperty("body");
  });
});

describe("a template is refused", () => {
  const rest = "name: n\nproperties: {}\n";

  test.each([
    [
      "x-aciproxy-parameters: {a: {}, A: {}}",
      "x-aciproxy-parameters.A:1: Parameter A is declared twice; letter case does not count.",
    ],
    ["x-aciproxy-parameters: {1a: {}}", "must begin with a letter or _"],
    ["x-aciproxy-parameters: [a]", "must be a mapping of names"],
    ["x-aciproxy-parameters: {a: text}", "Parameter a must be a mapping with type, default"],
    ["x-aciproxy-parameters: {a: {type: int}}", "type of parameter a must be string or number or boolean or list."],
    ["x-aciproxy-parameters: {a: {defualt: 1}}", "A parameter has no such member; is default meant?"],
    ["x-aciproxy-parameters: {a: {type: number, default: x}}", "default of parameter a must be a number."],
    ["x-aciproxy-parameters: {a: {values: [x], default: y}}", "default of parameter a must be text, one of x."],
    ["x-aciproxy-parameters: {a: {values: []}}", "values of parameter a must be a list of 1 to 200 texts."],
    ["x-aciproxy-parameters: {a: {secret: true, default: x}}", "a secret parameter must be given by each caller."],
    ["x-aciproxy-parameters: {a: {secret: maybe}}", "secret of parameter a must be true or false."],
    ["x-aciproxy-parameters: {a: {pattern: '('}}", "is no regular expression that RE2 knows"],
    ["x-aciproxy-parameters: {a: {pattern: '(?=a)'}}", "no look-around"],
    ["x-aciproxy-parameters: {a: {pattern: '(((a{30}){30}){30}){30}'}}", "pattern of parameter a"],
    ["x-aciproxy-parameters: {a: {pattern: '((a{30}){30})'}}", "takes too long to compare"],
    ["x-aciproxy-parameters: {a: {type: number, pattern: a}}", "pattern of parameter a is for text and lists."],
    ["x-aciproxy-allow: retries", "x-aciproxy-allow must be a list of options."],
    ["callBackUri: https://example.com", "callBackUri belongs to the call that runs the template."],
    ['tags: {a: "${param:b}"}', "Parameter b is not declared in x-aciproxy-parameters."],
    ['tags: {a: "${param: b}"}', "A reference to a parameter is written ${param:NAME}."],
    ['tags: {a: "${params.b}"}', "A reference to a parameter is written ${param:NAME}."],
    ['x-aciproxy-parameters: {b: {}}\ntags: {"${param:b}": x}', "not in a property's name"],
    ['x-aciproxy-parameters: {b: {type: list}}\nzones: ["${param:b}"]', "it must stand alone"],
    ['x-aciproxy-parameters: {b: {type: list}}\nlocation: "x ${param:b}"', "it must stand alone"],
    [
      'x-aciproxy-parameters: {b: {}}\nlocation: "${keyvault:${param:b}}"',
      "can't choose the secret of a vault reference",
    ],
  ])("for %s", (text, message) => {
    expect(faultsOf(`${text}\n${rest}`).join("\n")).toContain(message);
  });

  test("with a thousand parameters, or text that is no YAML", () => {
    const thousand = Array.from({ length: 1000 }, (_, index) => `  p${index}: {}`).join("\n");
    expect(faultsOf(`x-aciproxy-parameters:\n${thousand}\n${rest}`)).toEqual([
      "x-aciproxy-parameters:1: A template may have at most 256 parameters.",
    ]);
    expect(faultsOf("a: [")).toHaveLength(1);
  });
});
