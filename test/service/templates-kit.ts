/** Calls of `/api/templates` for tests, and a template that takes every kind of parameter. */
import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { z } from "zod";
import { deleteTemplate, putTemplate } from "../../src/http/operate/templates.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { compare } from "../kit/describes.ts";
import { post, type Bench } from "./kit.ts";

export const nightly = (more = "", tag = "1"): string => `
x-aciproxy-parameters:
  name: {default: nightly}
  words: {type: list, default: []}
  note: {default: ""}
  password: {secret: true}
${more}
name: \${param:name}
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        image: registry.example/team/app:${tag}
        command: \${param:words}
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        environmentVariables:
          - {name: SIM_RUN_SECONDS, value: "10"}
          - {name: NOTE, value: "\${param:note}"}
          - {name: PASSWORD, secureValue: "\${param:password}"}
`;

const reply = z.looseObject({
  message: z.string().default(""),
  code: z.string().optional(),
  version: z.number().optional(),
  definition: z.string().optional(),
  templates: z.array(z.looseObject({ name: z.string(), version: z.number() })).optional(),
  versions: z.array(z.looseObject({ version: z.number() })).optional(),
  continuation: z.string().optional(),
  errors: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
});

interface Called {
  readonly status: number;
  readonly etag: string | null;
  readonly body: z.infer<typeof reply>;
}

export async function call(
  make: (deps: Deps) => HttpHandler,
  { deps }: Pick<Bench, "deps">,
  name = "",
  { text, query = "", headers = {} }: { text?: string; query?: string; headers?: Record<string, string> } = {},
): Promise<Called> {
  const method = make === deleteTemplate ? "DELETE" : text === undefined ? "GET" : "PUT";
  const request = new HttpRequest({
    method,
    url: `http://localhost/api/templates/${name}?${query}`,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers,
    params: name === "" ? {} : { name },
    ...(text === undefined ? {} : { body: { string: text } }),
  });
  const init = await make(deps)(request, new InvocationContext());
  const {
    status,
    body,
    headers: sent,
  } = z.looseObject({ status: z.number(), body: z.string(), headers: z.record(z.string(), z.string()) }).parse(init);
  compare(name === "" ? [] : ["name"], { method, status, headers: new Headers(sent), text: body });
  return { status, etag: sent["etag"] ?? null, body: reply.parse(JSON.parse(body)) };
}

export const put = (bench: Pick<Bench, "deps">, name: string, text: string, headers: Record<string, string> = {}) =>
  call(putTemplate, bench, name, { text, headers });

/** The environment of the container that a job's group has. */
export function variablesOf({ aci }: Bench, group: string): unknown {
  const found = [...aci.provider.all()].find(({ id }) => id.name === group);
  const [container] = found?.definition.properties?.containers ?? [];
  return container?.properties;
}

export const secret = { password: "hunter2" };
export const run = (deps: Deps, parameters: object = secret, query = "template=nightly", more: object = {}) =>
  post(deps, JSON.stringify({ parameters, ...more }), query);
