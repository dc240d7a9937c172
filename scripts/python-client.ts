import { apiModel, wrapped, type ApiModel, type CallModel, type Member, type TypeModel } from "./api-model.ts";

/**
 * clients/python/aci_proxy.py: its types and calls come from the API's description, between two pairs of comments; the rest is written by
 * hand. `npm run docs` writes it.
 */
export function pythonClient(text: string): string {
  const model = apiModel();
  const types = [...model.words.map(words), ...model.objects.map(dataclass)];
  const calls = model.calls.filter(({ call }) => !skipped.has(call.id)).map(method);
  return between(between(text, "types", types.join("\n\n\n")), "calls", calls.join("\n\n"));
}

/** Written by hand, or not for a program that submits jobs. */
const skipped = new Set(["link", "result", "logs", "containerLogs"]);
/** Where a method is called otherwise than its operation. */
const methodNames: Readonly<Record<string, string>> = {
  trigger: "submit",
  jobs: "jobs_page",
  job: "record",
  results: "results_page",
};
/** Parameters that a method decides itself. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  trigger: ["dryRun"],
  status: ["poll"],
  jobs: ["format", "all"],
  summary: ["format"],
  results: ["format"],
};

function between(text: string, name: string, made: string): string {
  const [begin, end] = [`# <${name}: made by npm run docs from the API's description>\n`, `# </${name}>\n`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.lastIndexOf("\n", text.indexOf(end)) + 1];
  if (from < begin.length || to < from) throw new Error(`The Python client has no part ${name}.`);
  return `${text.slice(0, from)}\n${made}\n\n${text.slice(to)}`;
}

const words = ({ name, text, words: all }: ApiModel["words"][number]): string =>
  `${name} = str\n${docstring(`${text} One of these, or a word of a newer service: ${all.join(", ")}.`, "")}`.trimEnd();

function dataclass({ name, text, members }: ApiModel["objects"][number]): string {
  const ordered = [...members.filter((each) => each.required), ...members.filter((each) => !each.required)];
  const fields = ordered.map((member) => {
    const type = hint(member.type);
    const line = member.required ? `${snake(member.name)}: ${type}` : `${snake(member.name)}: ${optional(type)} = None`;
    return `    ${line}\n${member.text === "" ? "" : docstring(member.text, "    ")}`;
  });
  const renamed = members.filter((member) => snake(member.name) !== member.name);
  const names = renamed.map((member) => `        "${snake(member.name)}": "${member.name}",\n`).join("");
  return `@dataclass(frozen=True)
class ${name}(Reply):
${docstring(text === "" ? `The reply ${name}.` : text, "    ")}
${names === "" ? "" : `    _names: ClassVar[Dict[str, str]] = {\n${names}    }\n`}${fields.join("")}`.trimEnd();
}

function hint(type: TypeModel): string {
  switch (type.kind) {
    case "text":
    case "words":
      return "str";
    case "integer":
      return "int";
    case "number":
      return "float";
    case "boolean":
      return "bool";
    case "null":
      return "None";
    case "any":
      return "Any";
    case "named":
      return type.name;
    case "list":
      return `List[${hint(type.of)}]`;
    case "map":
      return `Dict[str, ${hint(type.of)}]`;
    case "either": {
      const all = [...new Set(type.of.map(hint))];
      const some = all.filter((each) => each !== "None");
      const text = some.length === 1 ? (some[0] ?? "") : `Union[${some.join(", ")}]`;
      return some.length === all.length ? text : optional(text);
    }
  }
}

const optional = (text: string): string => (/^(?:Optional\[.*|Any)$/.test(text) ? text : `Optional[${text}]`);

function method({ call, path, query, body }: CallModel): string {
  const isDefinition = body === "definition";
  const isRun = isDefinition && call.id === "trigger";
  const isBody = body !== undefined && !isDefinition;
  const named = isBody ? body : query.filter((each) => !fixed[call.id]?.includes(each.name));
  const keywords: readonly Member[] = isRun ? [...named, idempotencyKey] : named;
  const parameters = [
    "self",
    ...path.map((each) => `${pathNames[each] ?? each}: str`),
    ...(isDefinition ? ["definition: Definition"] : []),
    ...(keywords.length === 0 ? [] : ["*"]),
    ...keywords.map(
      (each) =>
        `${snake(each.name)}: ${optional(value(each.type))} = ${isBody && isNullable(each) ? "_ABSENT" : "None"}`,
    ),
    ...(isRun ? ["**newer: Value"] : []),
  ];
  const [reply = ""] = Object.values(call.replies).flatMap(({ json }) => json);
  const refusals = Object.entries(call.replies).filter(([status]) => !status.startsWith("2"));
  const address = call.path.replaceAll(/\{(\w+)\}/g, (_, each: string) => `{_quoted(${pathNames[each] ?? each})}`);
  const given = (each: Member): string =>
    isBody && isNullable(each) ? `_or_null(${snake(each.name)})` : snake(each.name);
  const sent = named.map((each) => `                "${each.name}": ${given(each)},\n`).join("");
  const members = `{\n${sent}${isRun ? "                **newer,\n" : ""}            }`;
  const passed = [
    ...[reply, `"${call.method.toUpperCase()}"`, `${path.length > 0 ? "f" : ""}"${address}"`],
    ...(named.length === 0 ? [] : [`${isBody ? "body" : "query"}=${members}`]),
    ...(isDefinition ? ["definition=definition"] : []),
    ...(isRun ? ["idempotency_key=idempotency_key"] : []),
    ...(refusals.some(([, { json }]) => json.some((each) => each === reply)) ? ["also_refused=True"] : []),
  ];
  const about = keywords.flatMap(({ name, text }) => (text === "" ? [] : [`:param ${snake(name)}: ${text}`]));
  return [
    `    def ${methodNames[call.id] ?? snake(call.id)}(`,
    ...parameters.map((each) => `        ${each},`),
    `    ) -> ${reply}:`,
    docstring([call.summary, ...(about.length === 0 ? [] : ["", ...about])].join("\n"), "        ").trimEnd(),
    `        return self._json(`,
    ...passed.map((each) => `            ${each},`),
    `        )`,
  ].join("\n");
}

/** Null says something else than nothing there. */
const isNullable = ({ type }: Member): boolean => type.kind === "either" && type.of.some(({ kind }) => kind === "null");

const pathNames: Readonly<Record<string, string>> = { idOrName: "job", id: "job_id" };
const idempotencyKey: Member = {
  name: "idempotencyKey",
  text: "The same key again gives the same job, not a second run.",
  type: { kind: "text" },
  required: false,
};

/** What may be given for a parameter: it becomes text. */
const value = (type: TypeModel): string => (type.kind === "either" || type.kind === "list" ? "Value" : hint(type));

const reserved = new Set(["from", "class", "def", "in", "is", "not", "pass", "global", "lambda", "import"]);

function snake(name: string): string {
  const text = name.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase();
  return reserved.has(text) ? `${text}_` : text;
}

function docstring(text: string, indent: string): string {
  const lines = text.replaceAll("\\", "\\\\").split("\n").flatMap(paragraph);
  const [first = ""] = lines;
  if (lines.length === 1 && !first.endsWith('"')) return `${indent}"""${first}"""\n`;
  return `${`${indent}"""${lines.join(`\n${indent}`)}`.replaceAll(/ +$/gm, "")}\n${indent}"""\n`;
}

/** Lines of a paragraph; those after a parameter's first stand under its text. */
function paragraph(text: string): readonly string[] {
  const [first = "", ...more] = wrapped(text, 100);
  return [first, ...more.map((line) => (first.startsWith(":param") ? `    ${line}` : line))];
}
