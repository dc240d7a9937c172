import { statusOf } from "../shared/base/errors.ts";
import { activeStates, terminalStates } from "../shared/job/job.ts";
import { optionsTable } from "../shared/job/options.ts";
import { catalogue } from "../shared/job/reasons.ts";
import type { Settings } from "../shared/config/settings.ts";
import { version } from "./health.ts";
import { handler, json } from "./lib/reply.ts";
import type { Log } from "../shared/base/log.ts";

/** `GET /api/openapi.json`: the calls, as OpenAPI 3.1. Options, states, reasons and error codes come from the tables that decide. */
export function openapi({ log, settings }: { readonly log: Log; readonly settings: Settings }) {
  return handler(log, () => Promise.resolve(json(200, document(settings.publicUrl))));
}

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const time: Schema = { type: "string", format: "date-time" };
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: "object",
  properties,
  required,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const list = (items: Schema): Schema => ({ type: "array", items });
/** @param others schemas of other content types than JSON */
const reply = (description: string, schema: Schema, others: Readonly<Record<string, Schema>> = {}) => ({
  description,
  content: Object.fromEntries(
    Object.entries({ "application/json": schema, ...others }).map(([type, each]) => [type, { schema: each }]),
  ),
});
const error = (description: string) => reply(description, ref("Error"));
const query = (name: string, schema: Schema, description: string) => ({
  name,
  in: "query",
  required: false,
  schema,
  description,
});
const path = (name: string, description: string) => ({ name, in: "path", required: true, schema: text, description });

const idOrName = path("idOrName", "A job's id, or a group's name, which means its newest job.");
const unavailable = {
  "503": error("Storage can't be reached, or the settings are wrong; `Retry-After` says when to come back."),
};
const wrong = { "400": error("A member of the query or the body is wrong; each with its name.") };
const unknown = { "404": error("Not known.") };

const options = Object.entries(optionsTable).map(([name, option]) => query(name, option.schema, option.text));

const definition = {
  required: true,
  content: {
    "text/yaml": { schema: { type: "string", description: "An ACI container group." } },
    "application/json": { schema: { type: "object", description: "An ACI container group, or the queue's envelope." } },
  },
};

const poll = {
  headers: {
    Location: { schema: text, description: "Where to poll." },
    "Retry-After": { schema: { type: "integer" } },
  },
};
const accepted = { ...poll, ...reply("Accepted.", ref("Accepted")) };
const record: Schema = { type: "object" };
/** A job that did not succeed answers what its option `failureStatus` says, which is 500 unless told. */
const ends = {
  "200": reply("It succeeded.", ref("Status")),
  "202": { ...poll, ...reply("It has not ended.", ref("Status")) },
  "4XX": reply("It did not succeed: the job's own `failureStatus`.", ref("Status")),
  "5XX": reply("It did not succeed: 500, or the job's own `failureStatus`.", ref("Status")),
};

const logParameters = [
  query("tail", { type: "integer", minimum: 0 }, "Only the last lines."),
  query("since", text, "Only later lines: a time, or a duration ago."),
  query("attempt", { type: "integer", minimum: 1 }, "Of which attempt."),
  query("follow", { type: "boolean" }, "Stream until the end."),
  query("format", { enum: ["text", "json"] }, "Text unless told."),
];
const logReplies = { "200": reply("The log.", record, { "text/plain": text }), ...wrong, ...unknown, ...unavailable };

const poisonCall = (operationId: string, summary: string) => ({
  post: {
    operationId,
    summary,
    requestBody: {
      content: { "application/json": { schema: object({ messageId: text, all: { type: "boolean" } }) } },
    },
    responses: { "200": reply("How many.", record), ...wrong, ...unknown, ...unavailable },
  },
});

const paths = {
  "/api/trigger": {
    post: {
      operationId: "trigger",
      summary: "Run a container group as a job.",
      parameters: [
        ...options,
        {
          name: "Idempotency-Key",
          in: "header",
          required: false,
          schema: { type: "string", minLength: 1, maxLength: 256 },
        },
        {
          name: "x-adf-run",
          in: "header",
          required: false,
          schema: text,
          description: "FACTORY/PIPELINE/RUNID/ACTIVITY, as the option `source`.",
        },
      ],
      requestBody: definition,
      responses: {
        "200": {
          ...poll,
          ...reply("Accepted, or with `dryRun` checked.", { oneOf: [ref("Accepted"), ref("Checked")] }),
        },
        "202": accepted,
        "400": error("The definition or an option can't be taken; every fault with its place."),
        "409": error("An active job has that name."),
        "413": error("The body is too large."),
        "422": error("The idempotency key belongs to another definition."),
        "429": error("A configured ceiling is reached."),
        ...unavailable,
      },
    },
  },
  "/api/status/{idOrName}": {
    get: {
      operationId: "status",
      summary: "The state of a job: 202 until it has ended.",
      parameters: [
        idOrName,
        query("poll", { const: "1" }, "Only the job's own end ends this poll."),
        query("until", { enum: ["started", "deleted"] }, "Answer 200 sooner, or later, than at the end."),
      ],
      responses: {
        ...ends,
        ...unknown,
        ...unavailable,
      },
    },
  },
  "/api/link/{token}": {
    get: {
      operationId: "link",
      summary: "The same for whoever has the job's link (`polling=link`); needs no key.",
      security: [],
      parameters: [path("token", "What the `Location` brought.")],
      responses: {
        ...ends,
        "404": error("Forged, revoked, or older than a day after the job's end."),
      },
    },
  },
  "/api/delete/{idOrName}": {
    delete: {
      operationId: "delete",
      summary: "Cancel a job and delete its group.",
      parameters: [
        idOrName,
        query("polling", { type: "boolean" }, "202 and a Location that answers 200 once the group is gone."),
      ],
      responses: {
        "200": reply("Done, or under way.", ref("Status")),
        "202": reply("Under way.", ref("Status")),
        "409": error("Several active jobs have that name."),
        ...unknown,
        ...unavailable,
      },
    },
  },
  "/api/jobs": {
    get: {
      operationId: "jobs",
      summary: "Jobs, newest first.",
      parameters: [
        query("state", text, `\`active\`, or some of ${[...activeStates, ...terminalStates].join(", ")}.`),
        ...["name", "tag", "reason", "runId"].map((name) => query(name, text, "Only jobs with this.")),
        query("since", text, "Accepted at or after: a time, or a duration ago."),
        query("until", text, "Accepted before."),
        query("top", { type: "integer", minimum: 1, maximum: 1000 }, "How many at the most; 100 unless told."),
        query("continuation", text, "Where the page before ended."),
        query("format", { enum: ["json", "csv", "ndjson"] }, "JSON unless told."),
      ],
      responses: {
        "200": {
          ...reply(
            "A page; there are more when it has a continuation (`x-continuation` where the format has no place for it).",
            object({ jobs: list(record), continuation: text }, ["jobs"]),
            { "text/csv": text, "application/x-ndjson": text },
          ),
          headers: { "x-continuation": { schema: text } },
        },
        ...wrong,
        ...unavailable,
      },
    },
  },
  "/api/jobs/{id}": {
    get: {
      operationId: "job",
      summary: "Everything about a job.",
      parameters: [path("id", "The job's id.")],
      responses: { "200": reply("The record.", record), ...unknown, ...unavailable },
    },
  },
  "/api/jobs/{id}/rerun": {
    post: {
      operationId: "rerun",
      summary: "Run a job again.",
      parameters: [path("id", "The job's id."), query("polling", { type: "boolean" }, "202 and a Location to poll.")],
      responses: {
        "200": accepted,
        "202": accepted,
        "400": error("A rule of the operator's forbids it by now."),
        "409": error("Its definition is no longer kept, or its name is taken."),
        ...unknown,
        ...unavailable,
      },
    },
  },
  "/api/jobs/cancel": {
    post: {
      operationId: "cancelMany",
      summary: "Cancel all active jobs that match.",
      requestBody: {
        content: {
          "application/json": { schema: object({ name: text, tag: text, state: text, dryRun: { type: "boolean" } }) },
        },
      },
      responses: {
        "200": reply(
          "How many.",
          object({ message: text, canceled: { type: "integer" }, matched: { type: "integer" } }),
        ),
        ...wrong,
        ...unavailable,
      },
    },
  },
  "/api/logs/{idOrName}": {
    get: {
      operationId: "logs",
      summary: "The logs of all containers, each line with its container's name in front where there are several.",
      parameters: [idOrName, ...logParameters],
      responses: logReplies,
    },
  },
  "/api/logs/{idOrName}/{container}": {
    get: {
      operationId: "containerLogs",
      summary: "The log of one container.",
      parameters: [idOrName, path("container", "The container's name."), ...logParameters],
      responses: logReplies,
    },
  },
  "/api/pause": {
    post: {
      operationId: "pause",
      summary: "Accept jobs and let them wait.",
      requestBody: { content: { "application/json": { schema: object({ reason: text }, ["reason"]) } } },
      responses: { "200": reply("Paused.", record), ...wrong, ...unavailable },
    },
  },
  "/api/resume": {
    post: {
      operationId: "resume",
      summary: "Let them go on.",
      responses: { "200": reply("Resumed.", record), ...unavailable },
    },
  },
  "/api/adopt": {
    get: {
      operationId: "adopt",
      summary: "Groups that this service did not create, and which of them a job of their name could replace.",
      responses: { "200": reply("The groups.", record), ...unavailable },
    },
  },
  "/api/poison": {
    get: {
      operationId: "poison",
      summary: "Messages that failed again and again.",
      responses: { "200": reply("Up to 32.", record), ...unavailable },
    },
  },
  "/api/poison/replay": poisonCall("poisonReplay", "Try one of them again, or all."),
  "/api/poison/drop": poisonCall("poisonDrop", "Drop one of them, or all."),
  "/api/health": {
    get: {
      operationId: "health",
      summary: "Does storage answer.",
      security: [],
      responses: { "200": reply("It does.", record), ...unavailable },
    },
  },
  "/api/health/details": {
    get: {
      operationId: "healthDetails",
      summary: "What operators look at.",
      responses: { "200": reply("All is well.", record), "503": reply("It is not.", record) },
    },
  },
  "/api/openapi.json": {
    get: {
      operationId: "openapi",
      summary: "This document.",
      responses: { "200": reply("It.", record) },
    },
  },
  "/api/dashboard": {
    get: {
      operationId: "dashboard",
      summary: "The operators' page.",
      security: [],
      responses: { "200": { description: "It.", content: { "text/html": { schema: text } } } },
    },
  },
} as const;

function schemas(): Readonly<Record<string, Schema>> {
  const state = { enum: [...activeStates, ...terminalStates, "Unknown"] };
  const fault = object({ path: text, line: { type: "integer" }, column: { type: "integer" }, message: text }, [
    "path",
    "line",
    "column",
    "message",
  ]);
  const container = object({
    start_time: { type: ["string", "null"] },
    finish_time: { type: ["string", "null"] },
    state: text,
    exit_code: { type: ["integer", "null"] },
    detail_status: { type: ["string", "null"] },
    output: text,
    output_truncated: { type: "boolean" },
    log: { enum: ["complete", "truncated", "missing"] },
  });
  return {
    Error: object(
      {
        message: { type: "string", maxLength: 300 },
        code: { enum: Object.keys(statusOf) },
        errors: list(fault),
        warnings: list(fault),
        requestId: text,
      },
      ["message"],
    ),
    Accepted: object(
      {
        message: text,
        name: text,
        state,
        id: { type: "string", format: "uuid" },
        statusUrl: text,
        logsUrl: text,
        attached: { type: "boolean" },
        warnings: list(fault),
      },
      ["message", "name", "state", "id", "statusUrl", "logsUrl"],
    ),
    Checked: object({ message: text, name: text, dryRun: { const: true }, warnings: list(fault) }, ["name", "dryRun"]),
    Status: object(
      {
        message: text,
        name: text,
        state,
        id: { type: "string", format: "uuid" },
        attempt: { type: "integer" },
        reason: { enum: Object.keys(catalogue) },
        fault: text,
        advice: text,
        exitCode: { type: "integer" },
        createdAt: time,
        startedAt: time,
        finishedAt: time,
        groupDeleted: { type: "boolean" },
        containers: { type: "object", additionalProperties: container },
        result: { type: "object" },
        warnings: list(fault),
      },
      ["state", "id"],
    ),
  };
}

/** What every call answers whose door needs a key or a token. */
function withDoors(): Schema {
  const closed = {
    "401": { description: "No key or token, or a wrong one." },
    "403": { description: "A token that may not do this." },
  };
  const openedBy = (call: { readonly responses: object }) =>
    "security" in call ? call : { ...call, responses: { ...call.responses, ...closed } };
  return Object.fromEntries(
    Object.entries(paths).map(([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries<Parameters<typeof openedBy>[0]>(methods).map(([method, call]) => [method, openedBy(call)]),
      ),
    ]),
  );
}

export function document(server: string): Schema {
  return {
    openapi: "3.1.0",
    info: { title: "ACI Proxy", version, description: "Azure Container Instances groups as jobs." },
    servers: [{ url: server }],
    security: [{ header: [] }, { query: [] }, { bearer: [] }],
    paths: withDoors(),
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
