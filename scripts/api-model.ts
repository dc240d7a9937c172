import { z } from "zod";
import { essentialMembers } from "../client/replies.ts";
import type { Call } from "../src/http/openapi/call.ts";
import { calls } from "../src/http/openapi/calls.ts";
import { describeApi } from "../src/http/openapi/document.ts";

/** The API's description as the clients read it: the types of its replies, parameters and bodies, and its calls. */
export interface ApiModel {
  readonly words: readonly Words[];
  readonly objects: readonly ObjectType[];
  readonly calls: readonly CallModel[];
}

/** A text that is one of these words, or one of a newer service. */
export interface Words {
  readonly name: string;
  readonly text: string;
  readonly words: readonly string[];
}

export interface ObjectType {
  readonly name: string;
  readonly text: string;
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly text: string;
  readonly type: TypeModel;
  readonly required: boolean;
}

export type TypeModel =
  | { readonly kind: "text" | "integer" | "number" | "boolean" | "any" | "null" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "list" | "map"; readonly of: TypeModel }
  | { readonly kind: "either"; readonly of: readonly TypeModel[] };

export interface CallModel {
  readonly call: Call;
  /** Names in its path. */
  readonly path: readonly string[];
  readonly query: readonly Member[];
  readonly body: readonly Member[] | "definition" | undefined;
}

interface Schema {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly items?: Schema | boolean | undefined;
  readonly prefixItems?: readonly Schema[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly additionalProperties?: Schema | boolean | undefined;
  readonly required?: readonly string[] | undefined;
}

const schemaShape: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(schemaShape).optional(),
    items: z.union([schemaShape, z.boolean()]).optional(),
    prefixItems: z.array(schemaShape).optional(),
    properties: z.record(z.string(), schemaShape).optional(),
    additionalProperties: z.union([schemaShape, z.boolean()]).optional(),
    required: z.array(z.string()).optional(),
  }),
);

const parameterShape = z.looseObject({
  name: z.string(),
  in: z.string(),
  description: z.string(),
  schema: schemaShape,
});
const operationShape = z.looseObject({
  parameters: z.array(parameterShape),
  requestBody: z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: schemaShape })) }).optional(),
});
const documentShape = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationShape)),
  components: z.looseObject({ schemas: z.record(z.string(), schemaShape) }),
});

export function apiModel(): ApiModel {
  const { paths, components } = documentShape.parse(describeApi("https://proxy.example"));
  const reader = new SchemaReader();
  for (const [name, schema] of Object.entries(components.schemas)) if (name !== "Document") reader.define(name, schema);
  const described = calls().filter(({ id }) => !/^(?:read[A-Z]|dashboard$|openapi$)/.test(id));
  return {
    words: reader.words,
    objects: reader.objects,
    calls: described.map((call) => {
      const operation = operationShape.parse(paths[call.path]?.[call.method]);
      return {
        call,
        path: namesOf(operation.parameters, "path"),
        query: operation.parameters
          .filter((each) => each.in === "query")
          .map(({ name, description, schema }) => ({
            ...{ name, text: description, required: false },
            type: reader.typeOf(schema, capital(call.id) + capital(name)),
          })),
        body: typeof call.body === "string" ? "definition" : bodyOf(reader, call.id, operation),
      };
    }),
  };
}

const namesOf = (parameters: readonly z.infer<typeof parameterShape>[], where: string): readonly string[] =>
  parameters.filter((each) => each.in === where).map(({ name }) => name);

function bodyOf(reader: SchemaReader, id: string, operation: z.infer<typeof operationShape>) {
  const schema = operation.requestBody?.content["application/json"]?.schema;
  return schema?.properties && reader.members(capital(id), schema, schema.required ?? []);
}

/** Reads schemas; objects within objects get names of their own. */
class SchemaReader {
  readonly words: Words[] = [];
  readonly objects: ObjectType[] = [];

  define(name: string, schema: Schema): void {
    const text = schema.description ?? "";
    const words = wordsOf(schema);
    if (words !== undefined) this.words.push({ name, text, words });
    else {
      const members = this.members(name, schema, essentialMembers[name] ?? []);
      this.objects.push({ name, text, members });
    }
  }

  members(name: string, { properties = {}, required = [] }: Schema, essential: readonly string[]): Member[] {
    const undescribed = essential.filter((member) => !required.includes(member));
    if (undescribed.length > 0) throw new Error(`${name} may be without ${undescribed.join(", ")}`);
    return Object.entries(properties).map(([member, schema]) => ({
      name: member,
      text: schema.description ?? "",
      type: this.typeOf(schema, name + capital(member)),
      required: essential.includes(member),
    }));
  }

  /** @param name for an object that has no name of its own */
  typeOf(schema: Schema, name: string): TypeModel {
    if (schema.$ref !== undefined) return { kind: "named", name: schema.$ref.replace(/^.*\//, "") };
    const words = wordsOf(schema);
    const known = this.words.find((each) => each.words.join() === words?.join());
    if (known !== undefined) return { kind: "named", name: known.name };
    if (words !== undefined) return { kind: "words", words };
    if (schema.anyOf !== undefined) {
      const isAlone = schema.anyOf.filter(({ type }) => type !== "null").length === 1;
      const nameOf = (index: number): string => (isAlone ? name : name + String(index + 1));
      return { kind: "either", of: schema.anyOf.map((each, index) => this.typeOf(each, nameOf(index))) };
    }
    const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
    const of = types.map((type) => this.#plain(type, schema, name));
    const [first = { kind: "any" }, ...more] = of;
    return more.length === 0 ? first : { kind: "either", of };
  }

  #plain(type: string, schema: Schema, name: string): TypeModel {
    const { items, prefixItems, properties, additionalProperties } = schema;
    switch (type) {
      case "string":
        return { kind: "text" };
      case "integer":
      case "number":
      case "boolean":
      case "null":
        return { kind: type };
      case "array":
        return { kind: "list", of: this.typeOf(prefixItems?.[0] ?? (typeof items === "object" ? items : {}), name) };
      case "object":
        if (properties === undefined) {
          const of = typeof additionalProperties === "object" ? additionalProperties : {};
          return { kind: "map", of: this.typeOf(of, name) };
        }
        this.define(name, schema);
        return { kind: "named", name };
      default:
        throw new Error(`${name} has the type ${type}`);
    }
  }
}

/** Of a text that has some; a single word, or `true`, says no more than its type. */
function wordsOf(schema: Schema): readonly string[] | undefined {
  const words = schema.enum?.filter((word) => typeof word === "string");
  return words !== undefined && words.length > 1 && words.length === schema.enum?.length ? words : undefined;
}

export function capital(name: string): string {
  return name.replace(/^./, (letter) => letter.toUpperCase());
}

/** A text in lines of at most this many characters. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines;
}
