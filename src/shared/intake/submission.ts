import type { Settings } from "../config/settings.ts";
import type { Definition } from "../definition/index.ts";
import { err, ok, type LocatedFault, type Result } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { JsonObject } from "../base/json.ts";
import { judgeJob, optionFaults, refusalOf, type Found } from "../job/judgement.ts";
import type { JobOptions } from "../job/options.ts";
import { notPermitted } from "./permitted.ts";
import { isAllowedAddress } from "../security/safe-post.ts";

/** What a caller asks for, by HTTP or on the queue, before anything is judged. */
export interface Submission {
  readonly text: string;
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
  readonly rerunOf: JobId | undefined;
  /** Members of its envelope that mean nothing: they become warnings. */
  readonly unknown: readonly string[];
}

/** An order that can be taken: everything judged, nothing stored. */
export interface Checked {
  readonly definition: Definition;
  readonly options: JobOptions;
  readonly warnings: readonly LocatedFault[];
  readonly callBackUri: string | undefined;
}

/** Every fault of an order at once: of the job itself, and of what this service's settings allow. Pure. */
export function check(submission: Submission, settings: Settings): Result<Checked> {
  const judged = judgeJob({ ...submission, via: submission.via === "queue" ? "queue" : "http" }, settings);
  const { warnings, callBackUri, definition, options } = judged;
  const found: Found[] = [...judged.found, optionFaults([...addressFaults(submission, callBackUri, settings)])];
  const forbidden = definition && notPermitted(definition.value, definition.place, settings);
  if (forbidden) found.push(forbidden);
  if (!definition || !options || found.some(({ errors }) => errors.length > 0)) return err(refusalOf(found, warnings));
  return ok({ definition: definition.value, options, warnings, callBackUri });
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
