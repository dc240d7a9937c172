import { apiModel, capital, wrapped, type ApiModel, type Member, type TypeModel } from "./api-model.ts";

/** client/api.ts: the types of the service's replies, options and queries, for the Node client. `npm run docs` writes it. */
export function nodeTypes(): string {
  const model = apiModel();
  return `// Longer than 350 lines: made by \`npm run docs\` from the API's description; change src/http/openapi/ instead.

/** A word that a newer service may use. */
type NewerWord = string & {};

${[...model.words.map(wordsType), ...model.objects.map(objectType), ...queries(model), replies(model)].join("\n\n")}
`;
}

const wordsType = ({ name, text, words }: ApiModel["words"][number]): string =>
  `${doc(text, "")}export type ${name} =\n${words.map((word) => `  | ${JSON.stringify(word)}`).join("\n")}\n  | NewerWord;`;

const objectType = ({ name, text, members }: ApiModel["objects"][number]): string =>
  `${doc(text, "")}export interface ${name} {\n${members.map(memberLine).join("\n")}\n}`;

function memberLine({ name, text, type, required }: Member): string {
  const shown = typeText(type);
  return `${doc(text, "  ")}  readonly ${name}${required ? "" : "?"}: ${shown}${required ? "" : " | undefined"};`;
}

function typeText(type: TypeModel): string {
  switch (type.kind) {
    case "text":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
    case "null":
      return type.kind;
    case "any":
      return "unknown";
    case "words":
      return [...type.words.map((word) => JSON.stringify(word)), "NewerWord"].join(" | ");
    case "named":
      return type.name;
    case "list":
      return `readonly ${wrappedType(type.of)}[]`;
    case "map":
      return `Readonly<Record<string, ${typeText(type.of)}>>`;
    case "either":
      return [...new Set(type.of.map(typeText))].join(" | ");
  }
}

function wrappedType(type: TypeModel): string {
  const text = typeText(type);
  return /[ |]/.test(text) ? `(${text})` : text;
}

/** The queries that the client's methods take, and the bodies. */
function queries({ calls }: ApiModel): readonly string[] {
  return calls.flatMap(({ call: { id, summary }, query, body }) => [
    ...(query.length === 0 ? [] : [queryType(`${capital(id)}Query`, summary, query)]),
    ...(Array.isArray(body) ? [objectType({ name: `${capital(id)}Body`, text: summary, members: body })] : []),
  ]);
}

/** An alias, so that it is a record too. Values may stand as the text that they become. */
function queryType(name: string, text: string, members: readonly Member[]): string {
  const asText = (type: TypeModel): TypeModel =>
    /^(?:integer|number|boolean)$/.test(type.kind) ? { kind: "either", of: [type, { kind: "text" }] } : type;
  const lines = members.map((member) => memberLine({ ...member, type: asText(member.type) }));
  return `${doc(text, "")}export type ${name} = {\n${lines.join("\n")}\n};`;
}

const replies = ({ objects, words }: ApiModel): string => {
  const names = objects.map(({ name }) => name).concat(words.map(({ name }) => name));
  return `/** Each reply by its name in the description. */\nexport interface Replies {\n${names.map((name) => `  readonly ${name}: ${name};`).join("\n")}\n}`;
};

function doc(text: string, indent: string): string {
  if (text === "") return "";
  const lines = wrapped(text, 110);
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}
