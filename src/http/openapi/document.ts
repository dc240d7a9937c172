import { z } from "zod";
import { version } from "../health.ts";
import { closed, headers, type Answer, type Call, type Described } from "./call.ts";
import { calls } from "./calls.ts";
import { replySchemas } from "./replies.ts";

/** The API's description, OpenAPI 3.1, from the tables of calls, parameters and replies. */
export type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** @param server the service's own address */
export function describeApi(server: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "ACI Proxy",
      version,
      description: "Azure Container Instances groups as jobs. Replies may get further members in later versions.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: server }],
    security: [{ header: [] }, { query: [] }, { bearer: [] }],
    paths: pathsOf(calls()),
    components: {
      schemas: schemas(),
      securitySchemes: {
        header: { type: "apiKey", in: "header", name: "x-functions-key" },
        query: { type: "apiKey", in: "query", name: "code" },
        bearer: { type: "http", scheme: "bearer", description: "With `AUTH_MODE=entra`, in the keys' place." },
      },
    },
  };
}

function pathsOf(all: readonly Call[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const call of all) (paths[call.path] ??= {})[call.method] = operation(call);
  return paths;
}

function operation({ path, id, summary, guard, parameters, headers: sent = {}, body, replies }: Call): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    description: pathParameters[name] ?? "",
  }));
  return {
    operationId: id,
    summary,
    ...(guard === "open" ? { security: [] } : {}),
    parameters: [...inPath, ...described("query", parameters), ...described("header", sent)],
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: Object.fromEntries(
      Object.entries({ ...replies, ...(guard === "open" ? {} : closed) }).map(([status, answer]) => [
        status,
        response(answer),
      ]),
    ),
  };
}

const pathParameters: Readonly<Record<string, string>> = {
  idOrName: "A job's id, or a group's name, which means its newest job.",
  id: "The job's id.",
  name: "The template's name, in any letter case.",
  container: "The container's name.",
  token: "What the `Location`, or `ACI_PROXY_RESULT_URL`, brought.",
};

function described(where: "query" | "header", parameters: Described): Json[] {
  return Object.entries(parameters).map(([name, { schema, text }]) => ({
    name,
    in: where,
    required: false,
    schema,
    description: text,
  }));
}

const definition = {
  // With `template` it may be empty.
  required: false,
  content: {
    "application/yaml": { schema: { type: "string", description: "An ACI container group." } },
    "application/json": {
      schema: {
        type: "object",
        description:
          "An ACI container group, or the queue's envelope; with `template` its `{parameters, options}`, or nothing.",
      },
    },
  },
};

const template = {
  required: true,
  content: {
    "application/yaml": { schema: { type: "string", description: "An ACI container group with parameters." } },
    "application/json": { schema: { type: "object", description: "The same, or what GET replied." } },
  },
};

function bodyOf(body: NonNullable<Call["body"]>): Json {
  return body === "definition" ? definition : body === "template" ? template : jsonBody(body);
}

function jsonBody(shape: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: "input" });
  // No body is an empty one.
  const required = !shape.safeParse({}).success;
  return { required, content: { "application/json": { schema: { additionalProperties: false, ...schema } } } };
}

function response({ text, json, others = [], headers: sent = [] }: Answer): Json {
  const [first, ...more] = json.map(ref);
  const schema = more.length === 0 ? first : { anyOf: [first, ...more] };
  return {
    description: text,
    ...(schema === undefined && others.length === 0
      ? {}
      : {
          content: {
            ...(schema === undefined ? {} : { "application/json": { schema } }),
            ...Object.fromEntries(others.map((type) => [type, { schema: { type: "string" } }])),
          },
        }),
    ...(sent.length === 0
      ? {}
      : {
          headers: Object.fromEntries(
            sent.map((name) => [
              name,
              {
                description: headers[name],
                schema: { type: name === "Retry-After" || name === "Age" ? "integer" : "string" },
              },
            ]),
          ),
        }),
  };
}

/** The schemas by name. Our own replies have no other members, but those of a later version may. */
function schemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(replySchemas())) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(made).map(([id, { $schema: _, $id: __, ...schema }]) => [id, open(schema)]));
}

function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => !(name === "additionalProperties" && value === false))
      .filter(([, value]) => Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER)
      .map(([name, value]) => [name, open(value)]),
  );
}
