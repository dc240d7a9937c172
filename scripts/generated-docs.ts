import { readFileSync } from "node:fs";
import { z } from "zod";
import { benchmarksPage, readResults } from "../bench/document.ts";
import { readRefusal } from "../src/shared/job/arm-errors.ts";
import { catalogue, type Entry, type Rule } from "../src/shared/job/reasons.ts";
import { policy, reasonOfEnd } from "../src/shared/job/verdict.ts";
import { envelopeSchema } from "../src/shared/job/envelope.ts";
import { optionsOfArrays } from "../src/shared/job/array-options.ts";
import { optionsTable } from "../src/shared/job/options.ts";
import { settingsTable } from "../src/shared/config/settings.ts";

/** The pages of docs/ that are made from the code's own tables, by file name. `npm run docs` writes them, a test compares. */
export function generatedDocs(): ReadonlyMap<string, string> {
  return new Map([
    ["settings.md", settingsPage()],
    ["options.md", optionsPage()],
    ["arrays.md", arraysPage()],
    ["faults.md", faultsPage()],
    ["benchmarks.md", benchmarksPage(readResults())],
    ["message.schema.json", `${JSON.stringify(messageSchema(), null, 2)}\n`],
  ]);
}

const generatedFrom = (file: string): string => `<!-- Made by \`npm run docs\` from ${file}: change it there. -->\n`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function settingsPage(): string {
  const rows = Object.values(settingsTable).map(({ name, shown, read, text }) => [
    `\`${name}\``,
    shownDefault(shown),
    read.form ?? "",
    text,
  ]);
  return `${generatedFrom("src/shared/config/settings.ts")}
# Settings

All are app settings (environment variables), read once when the app starts. All faults are found at once: each is logged, and reported by
\`/api/health/details\` and by the \`503\` that a POST gets. While there is one, nothing is submitted or provisioned; status, jobs,
logs, delete and health keep answering. A setting that is empty or blank counts as absent. A Key Vault reference that the platform could
not resolve is a fault. A setting that nobody reads and that looks like one of these (\`POLICY_REGISTRY\`) is named as \`misspelt\` in
\`/api/health/details\` and in the log; it stops nothing.

Durations are ISO 8601 (\`PT10M\`, \`P7D\`) or a number of seconds. Lists are separated by commas; one that is set takes the
place of the default, so repeat what of that shall stay.

## Required

| what | settings |
| --- | --- |
| where groups are created | \`AZURE_SUBSCRIPTION_ID\` and \`AZURE_RESOURCE_GROUP\`, as in the original; or \`TARGETS\` |
| where jobs are stored | \`AzureWebJobsStorage\`: a connection string, or its identity-based form \`AzureWebJobsStorage__accountName\`, or all of \`AzureWebJobsStorage__queueServiceUri\`, \`__tableServiceUri\` and \`__blobServiceUri\`; \`AzureWebJobsStorage__clientId\` for a user-assigned identity. \`JobsStorage\`, in the same forms, where jobs live in another account than the host's own |
| what seals definitions | \`SEAL_KEY_ID\`, or for development \`SEAL_KEY_FILE\` (\`.local/seal.key\` where ARM is on the loopback interface) |
| the app's own address | \`PUBLIC_URL\`; absent, the platform's \`WEBSITE_HOSTNAME\` is taken |

The local stack (\`npm start\`) sets all of these itself: see [local/README.md](../local/README.md).

## All settings

${table(["setting", "default", "range", "meaning"], rows)}

What the Functions host reads itself (\`AzureWebJobs.NAME.Disabled\`, \`AzureFunctionsJobHost__...\`) works as everywhere: see
[host-json.md](host-json.md).
`;
}

/** A default that is a value is set as code; words are not. */
function shownDefault(shown: string): string {
  if (shown === "" || shown === "none") return "none";
  return /^(?:the|two|only|any)\b|^nothing; /.test(shown) ? shown : `\`${shown}\``;
}

function optionsPage(): string {
  const rows = Object.entries(optionsTable).map(([name, { schema, fallback, bound, text }]) => [
    `\`${name}\``,
    typeOf(schema),
    fallback,
    bound === "" ? "" : bound,
    text,
  ]);
  return `${generatedFrom("src/shared/job/options.ts")}
# Options of a job

Every option can stand in three places. The first that has it wins:

1. the query of \`POST /api/trigger\`: \`?timeout=PT2H&retries=1\`
2. \`options\` of the [queue's envelope](queue.md) (which may be POSTed too)
3. a block \`x-aciproxy:\` at the top of the definition, which is taken out before ACI sees it

\`\`\`yaml
x-aciproxy:
  timeout: PT2H
  retries: 1
name: nightly
properties: ...
\`\`\`

Names and words ignore case. A duration is ISO 8601 (\`PT10M\`) or a number of seconds. An unknown option, or a value out of range, is
a \`400\` that names every fault at once; only \`polling\` with a word it doesn't know is taken as false, with a warning.
\`aci-proxy run --help\` shows the same options as flags.

${table(["option", "type and range", "default", "bounded by", "meaning"], rows)}

\`retryOn\` reads reasons and faults of [faults.md](faults.md).
`;
}

/** Written by hand but for one table, which stands between two comments. */
function arraysPage(): string {
  const page = readFileSync(new URL("../docs/arrays.md", import.meta.url), "utf8");
  const [begin, end] = ["<!-- Made by `npm run docs` from src/shared/job/array-options.ts: -->\n", "<!-- End. -->"];
  const rows = Object.entries(optionsOfArrays).map(([name, { of, note }]) => [
    `\`${name}\``,
    of === "array" ? "the array" : "each child",
    note,
  ]);
  const [before, after] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  if (before < begin.length || after < before) throw new Error("docs/arrays.md has no place for the table of options.");
  return `${page.slice(0, before)}\n${table(["option", "whose", "in an array"], rows)}\n\n${page.slice(after)}`;
}

function typeOf(schema: Readonly<Record<string, unknown>>): string {
  const { type, enum: words, minimum, maximum, description, maxItems } = schema;
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(", ");
  if (typeof description === "string") return description;
  if (typeof minimum === "number" && typeof maximum === "number") return `${minimum} to ${maximum}`;
  if (typeof maxItems === "number") return `list of at most ${maxItems}`;
  return type === "boolean" ? "true, false" : String(type);
}

const ruleText: Readonly<Record<Rule, string>> = {
  end: "the job ends",
  caller: "ends, or the caller's `retries` and `retryOn` decide",
  free: "a new attempt at nobody's expense, at most `FREE_RETRIES` in a row, unless a program ran that neither Azure nor an eviction ended; then `retries` and `retryOn` decide",
  wait: "the job waits and is tried again, until `queueTimeout`, `startTimeout` or `timeout` ends it",
  few: "a create refused for this reason is tried four times, then the job ends; where a group failed for it, the job ends, or the caller's `retries` and `retryOn` decide",
  hour: "the job waits for `REFUSAL_TIME`, an hour unless set, then it ends",
};

/** Azure's codes that are worth a line, with the status they come with (see azure-docs "Troubleshoot common issues in ACI"). */
const armErrors = [
  [409, "ContainerGroupQuotaReached"],
  [409, "ContainerGroupSpotQuotaReached"],
  [409, "ServiceUnavailable"],
  [409, "ContainerGroupTransitioning"],
  [409, "MissingSubscriptionRegistration"],
  [409, "ScopeLocked"],
  [409, "InvalidResourceLocation"],
  [400, "InaccessibleImage"],
  [400, "SubnetIsFull"],
  [409, "RegistryErrorResponse"],
  [403, "AuthorizationFailed"],
  [403, "LinkedAuthorizationFailed"],
  [403, "RequestDisallowedByPolicy"],
  [404, "ResourceGroupNotFound"],
  [429, "TooManyRequests"],
  [500, "InternalServerError"],
] as const;
const anyOther = "any other";
const statusAlone = [400, 401, 403, 408, 409, 429, 502, 503] as const;
const exits = [0, 1, 137] as const;

function faultsPage(): string {
  const rows = Object.entries<Entry>(catalogue).map(([reason, { party, rule, advice }]) => [
    `\`${reason}\``,
    party,
    ruleText[rule],
    advice,
  ]);
  const arm = [
    ...armErrors.map(([httpStatus, code]) => ({ httpStatus, code })),
    ...statusAlone.map((httpStatus) => ({ httpStatus, code: anyOther })),
  ].map(({ httpStatus, code }) => [
    code === anyOther ? code : `\`${code}\``,
    String(httpStatus),
    `\`${readRefusal({ httpStatus, code, message: "" }).reason}\``,
  ]);
  const exit = exits.map((exitCode) => {
    const end = { exitCode, detailStatus: undefined, container: "" };
    return [String(exitCode), `\`${reasonOfEnd(end, { events: [] })}\``];
  });
  return `${generatedFrom("src/shared/job/reasons.ts")}
# Reasons and faults

Every row, status and event carries a \`reason\`: why a job waits, or how it ended. A reason is stable; \`message\` is for people.
\`fault\` says who has to do something about it. Where \`queueTimeout\` or \`timeout\` ends a job that still waits, it is the fault of
what the job waited for, which the message names.

${table(["reason", "fault", "what happens next", "what to do"], rows)}

The fault is one of: \`definition\` (who wrote it), \`program\` (who wrote what runs), \`image\` (who built or published it), \`caller\` (who
submitted or steered the job), \`identity\`, \`quota\`, \`network\` (who runs the subscription: roles and locks, limits, subnets),
\`capacity\` (Azure has no room), \`platform\` (Azure, or this service). \`NoCapacity\` ends a job only where a container
had started already.

## What Azure says, and what it means here

Azure's own error stays readable, redacted, in \`azure\` of \`GET /api/jobs/{id}\`.

${table(["code on create", "status", "reason"], arm)}

The code decides; the words beside it decide only where the code has no meaning of its own, and for the numbers of a quota. Of
errors inside an error (\`details\`, as a deployment's) the first decides whose code means something, where the outer one does not. A 5xx of
ACI's own is tried again with growing delays; where it comes again it ends the job as \`CreateFailed\` after four tries over 15 minutes if
other groups are accepted in the region meanwhile, else after \`CREATE_FAILED_TIME\`. A 409 with an unknown code is treated the same way,
and so is an answer without a code (a proxy's 404, say) that is not a 401, 403 or 429.
A gateway's 5xx or a time-out is no answer at all: the group is observed before anything else is done.

## What a view of a container group means

The first rule that applies decides. Whatever it says, a group that is still there is stopped or deleted before the job ends.

${table(
  ["when", "because"],
  policy.map(({ when, because }) => [when, because]),
)}

## What a container's exit code means

${table(["exit code", "reason"], exit)}

Every other exit code than 0 is \`ExitCode\`. A \`detailStatus\` that names OOM is \`OutOfMemory\` whatever the code; 137 after a failed
liveness probe is \`ProbeFailed\`. 7147 and 7148 are Azure's own, for maintenance of its machines and evictions: they are no end of the
program. An end without an exit code is waited for, and then it is \`ExitUnknown\`: no code is ever made up.
`;
}

/** JSON Schema (2020-12) of the envelope as posters write it, its `options` spelled out from the table. */
function messageSchema(): unknown {
  const { properties, ...schema } = z.toJSONSchema(envelopeSchema.extend({}), { io: "input" });
  const options = Object.fromEntries(
    Object.entries(optionsTable).map(([name, { schema: type, text }]) => [name, { ...type, description: plain(text) }]),
  );
  const { polling } = optionsTable;
  const kinds = ["definition", "definitionBlob", "template"];
  const ofTemplates = ["parameters", "templateVersion"];
  return {
    ...schema,
    title: "A message on the queue aci-jobs",
    description:
      "Members, options and words ignore letter case, a member that is null counts as absent, and numbers and truth values may be text: all of that is read, and this describes the plain form alone.",
    properties: {
      ...properties,
      // `run` is what the service sends to itself.
      op: { type: "string", enum: ["submit", "cancel"], default: "submit" },
      options: {
        type: "object",
        properties: {
          ...options,
          polling: { enum: [true, false, ...polling.schema.enum], description: plain(polling.text) },
        },
        additionalProperties: false,
      },
    },
    oneOf: [
      { type: "object", properties: { op: { const: "cancel" }, id: true }, required: ["op", "id"] },
      ...kinds.map((kind) => {
        const others = [...kinds.filter((each) => each !== kind), ...(kind === "template" ? [] : ofTemplates)];
        const absent = Object.fromEntries(others.map((other) => [other, false]));
        return { type: "object", properties: { op: { const: "submit" }, [kind]: true, ...absent }, required: [kind] };
      }),
    ],
  };
}

function plain(text: string): string {
  return text.replaceAll("`", "").replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}
