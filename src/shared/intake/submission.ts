import type { Settings } from "../config/settings.ts";
import { defaultTeam } from "../config/teams.ts";
import type { ArrayDefinition, Definition, Template } from "../definition/index.ts";
import { err, ok, shownName, type LocatedFault, type Result } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { JsonObject } from "../base/json.ts";
import type { LeftOfArray } from "../job/array-outcomes.ts";
import type { TemplateCall } from "../job/envelope.ts";
import type { Job } from "../job/job.ts";
import { judgeJob, optionFaults, refusalOf, type Found, type Written } from "../job/judgement.ts";
import { optionNamed, type JobOptions } from "../job/options.ts";
import { notPermitted } from "./permitted.ts";
import { teamOfNew } from "./team.ts";
import type { SentTemplate } from "../security/sealed-definition.ts";
import { isAllowedAddress } from "../security/safe-post.ts";

/** What a caller asks for, by HTTP or on the queue, before anything is judged. */
export interface Submission {
  readonly source: SubmittedSource;
  readonly query: JsonObject;
  readonly envelope: JsonObject;
  readonly via: "http" | "queue" | "rerun";
  /** Given by a poster, or derived from its message, whose own id stands beside it where it is known; minted when absent. */
  readonly id: { readonly id: JobId; readonly foreign: boolean; readonly messageId?: string } | undefined;
  readonly createdAt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly callBackUri: string | undefined;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  readonly traceparent: string | undefined;
  readonly requestedBy: string | undefined;
  /** The teams that its caller's token belongs to; absent where no token says so. */
  readonly teams?: readonly string[] | undefined;
  readonly rerunOf: JobId | undefined;
  /** Members of its envelope that mean nothing: they become warnings. */
  readonly unknown: readonly string[];
}

/** A definition in full, or a stored one: read already, with what the caller said of it. */
export type SubmittedSource =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "template";
      readonly template: Template;
      readonly name: string;
      readonly version: number;
      /** What the caller sent. */
      readonly call: TemplateCall;
      /** A caller who may run templates only may set the options that the template opens. */
      readonly only: boolean;
    };

/** An order that can be taken: everything judged, nothing stored. */
export interface Checked {
  /** Of an array that of its first child, with the size of the largest. */
  readonly definition: Definition;
  /** What the definitions of its children follow from. */
  readonly array?: ArrayDefinition | undefined;
  /** Of an array that runs another again: what is left of that one. */
  readonly left?: LeftOfArray | undefined;
  readonly options: JobOptions;
  readonly warnings: readonly LocatedFault[];
  readonly callBackUri: string | undefined;
  /** The template that it is a run of. */
  readonly template: Job["template"];
  readonly sent: SentTemplate | undefined;
  /** The team whose idempotency keys are not everybody's. */
  readonly keysOf?: string | undefined;
}

/** Every fault of an order at once: of the job itself, and of what this service's settings allow. Pure. */
export function check(submission: Submission, settings: Settings): Result<Checked> {
  const { source } = submission;
  let objection: Found | undefined;
  const judged = judgeJob(writtenOf(submission), settings, (child, place) => {
    const refused = notPermitted(child, place, settings);
    objection ??= refused;
    return refused?.errors ?? [];
  });
  const { warnings, callBackUri, definition, options, array } = judged;
  const closed: Found = { code: "Forbidden", what: "Forbidden", errors: closedOptions(submission) };
  const found = [closed, ...judged.found, optionFaults([...addressFaults(submission, callBackUri, settings)])];
  const forbidden =
    array === undefined
      ? definition && notPermitted(definition.value, definition.place, settings)
      : objection && { ...objection, errors: array.objections };
  if (forbidden) found.push(forbidden);
  const team = teamOfNew(submission, options ?? { team: undefined, source: undefined }, settings);
  if (!team.ok) found.unshift(team.error);
  if (!definition || !options || !team.ok || found.some(({ errors }) => errors.length > 0))
    return err(refusalOf(found, warnings));
  const checked = {
    definition: definition.value,
    array: array?.definition,
    options: { ...options, team: team.value },
    warnings,
    callBackUri,
    keysOf: settings.teamsGuard && team.value !== defaultTeam ? team.value : undefined,
  };
  if (source.kind === "text") return ok({ ...checked, template: undefined, sent: undefined });
  const { name, version, call, template } = source;
  const secret = new Set([...template.parameters].flatMap(([key, each]) => (each.secret ? [key] : [])));
  const given = Object.keys({ ...submission.envelope, ...submission.query });
  const sent = {
    template: call.name,
    version: call.version,
    parameters: call.parameters,
    secret,
    array: given.some((option) => optionNamed(option) === "array"),
  };
  return ok({ ...checked, template: { name, version }, sent });
}

function writtenOf(submission: Submission): Written {
  const { source } = submission;
  const via = submission.via === "queue" ? "queue" : "http";
  if (source.kind === "text") return { ...submission, source, via };
  const { template, call } = source;
  return { ...submission, source: { kind: "template", template, parameters: call.parameters }, via };
}

/** They change what the caller hears, and nothing of what runs. */
const ownOptions = ["polling", "dryrun"];

/** The options that a caller who may run templates only has set though the template does not open them. */
function closedOptions({ source, query, envelope }: Submission): LocatedFault[] {
  if (source.kind === "text" || !source.only) return [];
  const open = new Set([...ownOptions, ...source.template.allow.map(({ option }) => option.toLowerCase())]);
  return Object.keys({ ...envelope, ...query })
    .filter((name) => !open.has(name.toLowerCase()))
    .map((name) => {
      const path = shownName(name, "option");
      const message = `With the role Job.Run the option ${path} may be set only where the template opens it in x-aciproxy-allow.`;
      return { path, line: 1, column: 1, message };
    });
}

const longestUri = 4096;

function* addressFaults(
  { replyTo }: Submission,
  callBackUri: string | undefined,
  settings: Settings,
): Generator<LocatedFault> {
  const at = { line: 1, column: 1 };
  if (callBackUri !== undefined && !isAllowedAddress(callBackUri, settings.callbackHosts))
    yield { ...at, path: "callBackUri", message: "callBackUri must be an https address on an allowed host." };
  if (callBackUri !== undefined && callBackUri.length > longestUri)
    yield { ...at, path: "callBackUri", message: `callBackUri must have at most ${longestUri} characters.` };
  if (replyTo !== undefined && !settings.replyQueues.includes(replyTo))
    yield { ...at, path: "replyTo", message: "replyTo must name a queue of the setting REPLY_QUEUES." };
}
