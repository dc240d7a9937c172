import { z } from "zod";
import { optionsTable } from "../../shared/job/options.ts";
import { deleteParameters } from "../delete.ts";
import { listParameters } from "../jobs/filter.ts";
import { resultsParameters } from "../jobs/results.ts";
import { summaryParameters } from "../jobs/summary.ts";
import { linkParameters } from "../link.ts";
import { logParameters } from "../logs.ts";
import { selection } from "../operate/cancel-many.ts";
import { rerunSelection } from "../operate/rerun-many.ts";
import { groupBody, groupsParameters } from "../operate/groups.ts";
import { priorityBody } from "../operate/priority.ts";
import { pauseBody } from "../operate/pause.ts";
import { resumeBody } from "../operate/resume.ts";
import { rerunParameters } from "../operate/rerun.ts";
import { poisonBody } from "../operate/poison.ts";
import { templateCalls } from "./template-calls.ts";
import { statusParameters } from "../status.ts";
import {
  answer,
  problem,
  poll,
  unavailable,
  unknown,
  slow,
  broken,
  get,
  post,
  type Call,
  type Answer,
} from "./call.ts";

/** A job that did not succeed answers with its option `failureStatus`, default 500; its body differs from a refusal's. */
const failed = (text: string): Answer =>
  answer(`${text}, or the job did not succeed: its own \`failureStatus\`.`, "Status", "Problem");
const statusReplies = {
  "200": answer("It succeeded, or what `until` waits for has come.", "Status"),
  "202": { ...answer("It has not ended.", "Status", "Unknown"), headers: poll },
  "400": failed("A parameter is wrong"),
  "404": failed("Not known"),
  "4XX": answer("It did not succeed: the job's own `failureStatus`.", "Status"),
  "500": failed("A fault of the service"),
  "503": failed("Storage can't be reached, or the settings are wrong"),
  "5XX": answer("It did not succeed: the job's own `failureStatus`.", "Status"),
};

const runParameters = {
  template: {
    schema: { type: "string", maxLength: 64 },
    text: "Runs this template; the body is `{parameters, options}`.",
  },
  version: { schema: { type: "integer", minimum: 1 }, text: "Of the template; default the newest." },
};

const trigger = (): Call => ({
  method: "post",
  path: "/api/trigger",
  id: "trigger",
  summary: "Run a container group as a job.",
  guard: "key",
  parameters: { ...optionsTable, ...runParameters },
  headers: {
    "Idempotency-Key": {
      schema: { type: "string", minLength: 1, maxLength: 256 },
      text: "The same key again gives the same job, not a second run.",
    },
    "x-adf-run": { schema: { type: "string" }, text: "FACTORY/PIPELINE/RUNID/ACTIVITY, as the option `source`." },
    traceparent: { schema: { type: "string" }, text: "The caller's trace (W3C Trace Context)." },
  },
  body: "definition",
  replies: {
    "200": { ...answer("Accepted, or with `dryRun` checked.", "Accepted", "Checked"), headers: poll },
    "202": { ...answer("Accepted.", "Accepted"), headers: poll },
    "400": problem("The definition or an option can't be taken; every fault with its place."),
    "404": problem("There is no such template."),
    ...slow,
    "409": problem("An active job has that name, or the job does not wait and its group is full."),
    "413": problem("The body is too large."),
    "422": problem("The idempotency key belongs to another definition."),
    "429": { ...problem("A configured ceiling is reached."), headers: ["Retry-After"] },
    ...broken,
    ...unavailable,
  },
});

const logReplies = { "200": { ...answer("The log.", "Log"), others: ["text/plain"] }, ...unknown };

/** The calls that `READ_KEY` opens copies of, under `/api/read`. */
const readable = (): readonly Call[] => [
  get("/api/caller", "caller", "What the caller may do.", {}, { "200": answer("It.", "Caller") }),
  get(
    "/api/status/{idOrName}",
    "status",
    "The state of a job: 202 until it has ended.",
    statusParameters,
    statusReplies,
  ),
  get("/api/jobs", "jobs", "Jobs, newest first.", listParameters, {
    "200": {
      ...answer("A page, or with `all` every job; there are more when it has a continuation.", "JobPage"),
      others: ["text/csv", "application/x-ndjson"],
      headers: ["x-continuation"],
    },
  }),
  get(
    "/api/jobs/summary",
    "summary",
    "How many jobs there were, how they ended, what they took and cost.",
    summaryParameters,
    {
      "200": { ...answer("A row for each.", "Summary"), headers: ["Age"] },
    },
  ),
  get(
    "/api/jobs/{id}",
    "job",
    "Everything about a job.",
    {},
    { "200": answer("It.", "JobRecord", "UnreadableJob"), ...unknown },
  ),
  get("/api/jobs/{id}/results", "results", "What came of each index of an array.", resultsParameters, {
    "200": {
      ...answer("A page, or as NDJSON all; there are more when it has a continuation.", "Results"),
      others: ["application/x-ndjson"],
    },
    ...unknown,
  }),
  get(
    "/api/jobs/{id}/definition",
    "definition",
    "What was submitted, with secrets masked.",
    {},
    {
      "200": answer("It.", "Definition"),
      "404": problem("The job is not known, or its definition is no longer kept."),
    },
  ),
  get(
    "/api/logs/{idOrName}",
    "logs",
    "The logs of all containers, each line with its container's name in front where there are several.",
    logParameters,
    logReplies,
  ),
  get("/api/logs/{idOrName}/{container}", "containerLogs", "The log of one container.", logParameters, logReplies),
  get(
    "/api/health/details",
    "healthDetails",
    "What operators look at.",
    {},
    {
      "200": answer("All is well.", "HealthDetails"),
      "503": answer("It is not, or storage can't be reached.", "HealthDetails", "Problem"),
    },
  ),
];

const resultBody = z.record(z.string(), z.unknown());

const copyOf = (call: Call): Call => ({
  ...call,
  path: call.path.replace("/api/", "/api/read/"),
  id: `read${call.id.replace(/^./, (letter) => letter.toUpperCase())}`,
  summary: `${call.summary} For the key READ_KEY, where it is set.`,
});

export function calls(): readonly Call[] {
  const gone = { "409": problem("Its definition is no longer kept, or its name is taken.") };
  return [
    trigger(),
    ...readable(),
    {
      ...get(
        "/api/link/{token}",
        "link",
        "A job's state for whoever has its link (`polling=link`); needs no key.",
        linkParameters,
        {
          ...statusReplies,
          "404": failed("Forged, revoked, or older than a day after the job's end"),
        },
      ),
      guard: "open",
    },
    {
      ...post(
        "/api/result/{token}",
        "result",
        "Send the result of one attempt, from its own program (`ACI_PROXY_RESULT_URL`); needs no key.",
        resultBody,
        {
          "200": answer("Stored.", "ResultStored"),
          "404": problem("Forged, or revoked."),
          "409": problem("The attempt has ended, or sent another result before."),
          ...slow,
          "413": problem("The result is too large."),
        },
      ),
      method: "put",
      guard: "open",
    },
    {
      ...get("/api/delete/{idOrName}", "delete", "Cancel a job and delete its group.", deleteParameters, {
        "200": answer("Done, or under way.", "Deleted"),
        "202": { ...answer("Under way.", "Deleted"), headers: poll },
        "409": problem("Several active jobs have that name."),
        ...unknown,
      }),
      method: "delete",
    },
    post(
      "/api/jobs/{id}/rerun",
      "rerun",
      "Run a job again.",
      undefined,
      {
        "200": { ...answer("Accepted.", "Accepted"), headers: poll },
        "202": { ...answer("Accepted.", "Accepted"), headers: poll },
        "429": { ...problem("A configured ceiling is reached."), headers: ["Retry-After"] },
        ...gone,
        ...unknown,
      },
      rerunParameters,
    ),
    post("/api/jobs/rerun", "rerunMany", "Run all jobs again that match and did not succeed.", rerunSelection, {
      "200": answer("How many.", "Rerun"),
      "202": { ...answer("How many so far: the service goes on.", "Rerun"), headers: poll },
    }),
    get(
      "/api/reruns/{key}",
      "rerunProgress",
      "How far a rerun of many jobs is.",
      {},
      {
        "200": answer("It is over.", "Rerun"),
        "202": { ...answer("It goes on.", "Rerun"), headers: ["Retry-After"] },
        ...unknown,
      },
    ),
    ...templateCalls(),
    post("/api/jobs/cancel", "cancelMany", "Cancel all active jobs that match.", selection, {
      "200": answer("How many.", "Canceled"),
      "202": answer("How many so far: the service goes on.", "Canceled"),
    }),
    post("/api/jobs/{id}/priority", "priority", "Give a waiting job another place.", priorityBody, {
      "200": answer("It has it.", "Priority"),
      "409": problem("The job has ended."),
      ...unknown,
    }),
    get("/api/groups", "groups", "Groups of jobs, and who holds their slots.", groupsParameters, {
      "200": answer("A page.", "Groups"),
    }),
    get(
      "/api/groups/{group}",
      "group",
      "One group; its name is the rest of the path.",
      {},
      {
        "200": { ...answer("It; nobody need have named it before.", "Group"), headers: ["ETag"] },
      },
    ),
    {
      ...post("/api/groups/{group}", "steerGroup", "Limit or pause a group; null gives it back.", groupBody, {
        "200": { ...answer("As it is now.", "Group"), headers: ["ETag"] },
        "412": problem("Somebody changed it since `If-Match` was read."),
      }),
      method: "put",
      headers: { "If-Match": { schema: { type: "string" }, text: "The `ETag` that was read." } },
    },
    post("/api/pause", "pause", "Accept jobs and let them wait.", pauseBody, { "200": answer("Paused.", "Paused") }),
    post("/api/resume", "resume", "Let them go on.", resumeBody, {
      "200": answer("Resumed.", "Resumed"),
      "202": answer("Resumed: more jobs follow.", "Resumed"),
    }),
    post("/api/reindex", "reindex", "Write the lost job index anew from the rows.", undefined, {
      "200": answer("It is whole.", "Reindexed"),
      "202": { ...answer("Not yet: call again.", "Reindexed"), headers: ["Retry-After"] },
    }),
    get(
      "/api/adopt",
      "adopt",
      "Groups that this service did not create, and which of them a job of their name could replace.",
      {},
      {
        "200": answer("The groups.", "Adoptable"),
      },
    ),
    get(
      "/api/poison",
      "poison",
      "Messages that failed again and again.",
      {},
      { "200": answer("Up to 32.", "PoisonList") },
    ),
    post("/api/poison/replay", "poisonReplay", "Try one of them again, or all.", poisonBody, {
      "200": answer("How many.", "PoisonTaken"),
      ...unknown,
    }),
    post("/api/poison/drop", "poisonDrop", "Drop one of them, or all.", poisonBody, {
      "200": answer("How many.", "PoisonTaken"),
      ...unknown,
    }),
    get("/api/health", "health", "Does storage answer.", {}, { "200": answer("It does.", "Health") }, "open"),
    get("/api/openapi.json", "openapi", "This document.", {}, { "200": answer("It.", "Document") }),
    {
      ...get("/api/dashboard", "dashboard", "The operators' page.", {}, {}, "open"),
      replies: { "200": { text: "It.", json: [], others: ["text/html"] } },
    },
    ...readable().map(copyOf),
  ];
}
