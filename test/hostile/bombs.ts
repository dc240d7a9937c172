/** Texts that were made to hurt: each costs its sender little and a careless reader much. Sizes reach the largest body that is taken. */
export interface Bomb {
  readonly name: string;
  readonly text: string;
}

const most = 500_000;
const fill = (unit: string, length = most): string => unit.repeat(Math.floor(length / unit.length));
const inGroup = (properties: string): string =>
  `name: bomb\nproperties:\n  osType: Linux\n  restartPolicy: Never\n  containers: [{ name: a, properties: { image: a.io/b, resources: { requests: { cpu: 1, memoryInGB: 1 } } } }]\n${properties}\n`;
const inJson = (inner: string): string => `{"name":"bomb","properties":{"osType":"Linux","x":${inner}}}`;

function laughs(levels: number, width: number): string {
  const lines = ["a0: &a0 [x]"];
  for (let level = 1; level <= levels; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: width }, () => `*a${level - 1}`).join(",")}]`);
  return `${lines.join("\n")}\nname: bomb\nproperties: *a${levels}\n`;
}

function merges(count: number): string {
  const keys = Array.from({ length: 200 }, (_, n) => `k${n}: 1`).join(", ");
  return `base: &m { ${keys} }\nlist: &l [${Array.from({ length: count }, () => "*m").join(",")}]\n${Array.from({ length: 50 }, (_, n) => `x${n}: { <<: *l }`).join("\n")}\nname: bomb\n`;
}

const yaml: Readonly<Record<string, string>> = {
  "a billion laughs": laughs(9, 9),
  "laughs, few and deep": laughs(60, 2),
  "laughs, many and flat": laughs(2, 3000),
  "merge keys of merge keys": merges(1000),
  "an alias to itself": "name: bomb\nproperties: &p { containers: [*p], x: *p }\n",
  "many anchors": `${Array.from({ length: 20_000 }, (_, n) => `k${n}: &a${n} 1`).join("\n")}\nname: bomb\n`,
  "lists inside lists": fill("["),
  "lists inside lists, closed": `name: bomb\nproperties: ${fill("[", 200_000)}${fill("]", 200_000)}\n`,
  "mappings inside mappings": fill("{a: "),
  "lists by dashes": fill("- "),
  "mappings by indentation": Array.from({ length: 900 }, (_, n) => `${" ".repeat(n)}a:`).join("\n"),
  "complex keys": fill("? "),
  "many keys": `name: bomb\nproperties:\n${Array.from({ length: 30_000 }, (_, n) => `  k${n}: 1`).join("\n")}\n`,
  "one key many times": `name: bomb\n${fill("a: 1\n")}`,
  "many containers": `name: bomb\nproperties:\n  containers:\n${fill("  - { name: a, properties: { image: b } }\n")}`,
  "many wrong containers": `name: bomb\nproperties:\n  containers:\n${fill("  - 1\n")}`,
  "many variables": inGroup(
    `  initContainers: [{ name: i, properties: { environmentVariables: [${fill("{name: A, secureValue: bbbb},", 400_000)}] } }]`,
  ),
  "many vault references": inGroup(
    `  diagnostics: { logAnalytics: { workspaceKey: "${fill("${keyvault:job-a}", 400_000)}" } }`,
  ),
  "many different vault references": inGroup(
    `  volumes: [{ name: files, secret: { ${Array.from({ length: 8000 }, (_, n) => `f${n}: "\${keyvault:x-${n}}"`).join(", ")} } }]`,
  ),
  "one very long text": inGroup(`  priority: ${fill("x")}`),
  "one very long number": inGroup(`  initContainers: ${fill("9")}`),
  "one very long number with a point": inGroup(`  x: ${fill("9", 250_000)}.${fill("9", 200_000)}`),
  "one very long time": inGroup(`  x: ${fill("1:")}`),
  "numbers that never end": inGroup(`  x: ${fill("-.")}`),
  "underscores between digits": inGroup(`  x: ${fill("1_")}`),
  "an infinite number": inGroup("  x: 1e99999\n  y: -.inf\n  z: .nan"),
  "only spaces": fill(" "),
  "only line breaks": fill("\n"),
  "only tabs": fill("\t"),
  "line breaks before a name": `${fill("\n", 400_000)}name: bomb`,
  "spaces after a name": `name:${fill(" ", 200_000)}bomb${fill(" ", 200_000)}!`,
  "names without end": fill("name"),
  "names and colons": fill("name:"),
  "only colons": fill(":"),
  "only quotes": fill('"'),
  "only apostrophes": fill("'"),
  "only percent signs": fill("%"),
  "only bars": fill("|"),
  "only bangs": fill("!"),
  "only stars": fill("*"),
  "only ampersands": fill("&"),
  "only number signs": fill("#"),
  comments: fill("# x\n"),
  documents: fill("---\n"),
  "document ends": fill("...\n"),
  directives: fill("%YAML 1.2\n"),
  "unknown directives": fill("%X y\n"),
  tags: `name: bomb\nx: ${fill("!a ")}1\n`,
  "a tag that would run code":
    'name: bomb\nx: !!js/function "function () { return 1 }"\ny: !!python/object/apply:os.system [ls]\n',
  "a long tag": `name: bomb\nx: !<${fill("a")}> 1\n`,
  escapes: `name: bomb\nx: "${fill("\\x41")}"\n`,
  "wrong escapes": `name: bomb\nx: "${fill("\\q")}"\n`,
  "half characters": `name: bomb\nx: "${fill("\\uD800")}"\n`,
  "a quoted text of many lines": `name: bomb\nx: "${fill("a\n")}"\n`,
  "a quoted text of many lines at the margin": `name: bomb\nproperties:\n  x: "${fill("a\nb\n")}"\n  y: '${fill("\n", 100_000)}'\n`,
  "a folded text of many lines": `name: bomb\nx: >\n${fill(" a\n")}`,
  "a flow list of many lines at the margin": `name: bomb\nproperties:\n  containers: [\n${fill("a,\n")}]\n`,
  "angle brackets": inGroup(`  x: "${fill("<")}"`),
  "an image of angle brackets": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("<", 1900)}" } }] }\n`,
  "an image of placeholders half open": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("${", 1900)}" } }] }\n`,
  "an image of dollar signs": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("$a", 1900)}" } }] }\n`,
  "an image of brackets": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("[]", 1900)}" } }] }\n`,
  "an image of underscores": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("__a", 1900)}" } }] }\n`,
  "an image of slashes": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "${fill("a/")}" } }] }\n`,
  "an image of colons": `name: bomb\nproperties: { containers: [{ name: a, properties: { image: "a.io/${fill(":")}" } }] }\n`,
  "a URL of users": inGroup(`  volumes: [{ name: source, gitRepo: { repository: "${fill("://a")}" } }]`),
  "a URL of at signs": inGroup(`  volumes: [{ name: source, gitRepo: { repository: "://${fill("@")}" } }]`),
  "malformed base64": inGroup(`  volumes: [{ name: files, secret: { f: "${fill("A ")}" } }]`),
  prototypes: `__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\nname: bomb\nproperties: { __proto__: { polluted: true }, containers: [{ __proto__: { polluted: true }, name: a }] }\ntags: { __proto__: polluted, constructor: x }\nx-aciproxy: { __proto__: { polluted: true }, tags: { __proto__: x } }\n`,
  "a merge of a prototype": `a: &a { __proto__: { polluted: true } }\n<<: *a\nname: bomb\n`,
  "options without end": `name: bomb\nx-aciproxy: { ${fill("a: 1, ")} }\n`,
  "options inside options": `name: bomb\nx-aciproxy: { tags: ${fill("[", 100_000)} }\n`,
  "a long option": `name: bomb\nx-aciproxy: { retryOn: "${fill("1,")}", tags: "${fill("a=b,", 100_000)}" }\n`,
  "an option of bangs": `name: bomb\nx-aciproxy: { retries: 1, retryOn: "${fill("!")}" }\n`,
  "zero bytes": fill("\0"),
  "byte order marks": fill("\uFEFF"),
  "right to left": `name: "\u202Ebomb"\n${fill("\u202E")}: 1\n`,
  "line separators": fill("\u2028"),
  "next lines": fill("\u0085"),
  "carriage returns": fill("\r"),
};

const json: Readonly<Record<string, string>> = {
  "lists inside lists": inJson(fill("[", 240_000) + fill("]", 240_000)),
  "objects inside objects": inJson(`${fill('{"a":', 300_000)}1${fill("}", 60_000)}`),
  "objects inside objects, unclosed": fill('{"a":'),
  "many members": inJson(`{${Array.from({ length: 30_000 }, (_, n) => `"k${n}":1`).join(",")}}`),
  prototypes: '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"name":"bomb"}',
  escapes: inJson(`"${fill("\\u0041")}"`),
  "an unclosed text": inJson(`"${fill("a")}`),
  "a long number": inJson(fill("1")),
};

const envelopes: Readonly<Record<string, string>> = {
  "a definition inside definitions": `{"version":1,"definition":${fill('{"a":', 300_000)}1${fill("}", 60_000)}}`,
  "a definition of lists": `{"version":1,"definition":{"a":${fill("[", 200_000)}${fill("]", 200_000)}}}`,
  "options inside options": `{"version":1,"definition":"name: x","options":{"a":${fill("[", 200_000)}${fill("]", 200_000)}}}`,
  "options without end": `{"version":1,"definition":"name: x","options":{${Array.from({ length: 30_000 }, (_, n) => `"k${n}":1`).join(",")}}}`,
  prototypes:
    '{"version":1,"__proto__":{"polluted":true},"options":{"__proto__":{"polluted":true},"constructor":1},"definition":{"__proto__":{"polluted":true},"name":"bomb"}}',
  "a version without end": `{"version":${fill("1")},"definition":"x"}`,
  "a version inside versions": `{"version":{"version":1},"definition":"x"}`,
  "a long id": `{"version":1,"id":"${fill("0")}","definition":"x"}`,
  "a long key": `{"version":1,"idempotencyKey":"${fill("k")}","definition":"x"}`,
  "a blob elsewhere": '{"version":1,"definitionBlob":"aci-definitions/../aci-sealed/x"}',
  "a reply to ourselves": '{"version":1,"definition":"name: x","replyTo":{"queue":"aci-jobs"}}',
  "a callback to the cloud's metadata":
    '{"version":1,"definition":"name: x","callBackUri":"http://169.254.169.254/metadata"}',
  "a definition in a definition": `{"version":1,"definition":${JSON.stringify(laughs(9, 9))}}`,
  nothing: '{"version":1}',
  "an operation of the service": '{"version":1,"op":"run","id":"0198f000-0000-7000-8000-000000000001"}',
};

export const bombs: readonly Bomb[] = [
  ...Object.entries(yaml).map(([name, text]) => ({ name: `YAML: ${name}`, text })),
  ...Object.entries(json).map(([name, text]) => ({ name: `JSON: ${name}`, text })),
  ...Object.entries(envelopes).map(([name, text]) => ({ name: `envelope: ${name}`, text })),
];
