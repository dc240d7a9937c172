import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { readRefusal, type CodedError } from "../job/arm-errors.ts";
import type { AzureError } from "../job/job.ts";
import type { CreateFailure } from "../job/observation.ts";

/**
 * An error of ARM as it stands in a reply: one inside the other in `details`, or as JSON in a message, where a deployment or another
 * service passes on what it got; the policies that forbid something in `additionalInfo`.
 *
 * Sources: "Find error code" and "RequestDisallowedByPolicy error" (azure-docs, azure-resource-manager/troubleshooting).
 */
const text = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? "");
const list = z.array(z.unknown()).catch([]).default([]);
const error = z.looseObject({ code: text, message: text, details: list, additionalInfo: list });
const body = z.looseObject({ error });
const violation = z.looseObject({
  type: z.literal("PolicyViolation"),
  info: z.looseObject({
    policyAssignmentDisplayName: text,
    policyAssignmentName: text,
    policyDefinitionDisplayName: text,
    policyDefinitionName: text,
  }),
});

/** Deeper errors, more of them, and longer messages are not read. */
const [maxDepth, maxErrors, maxJson] = [4, 8, 20_000];

const operation = z.looseObject({ status: z.string() });

/** What an operation's body says of a create: only `Failed` is a failure. Codes that nobody knows explain it, and decide nothing. */
export function createFailure(json: unknown): CreateFailure | "none" | undefined {
  const { status } = operation.safeParse(json).data ?? {};
  if (status === undefined || !/^failed$/i.test(status)) return status === undefined ? undefined : "none";
  const { code, message, inner, summary } = readErrorBody(JSON.stringify(json));
  if (code === "") return "none";
  const { reason, doubtful } = readRefusal({ code, message, inner, httpStatus: 500 });
  const azure = { code, message: inner.length === 0 ? message : `${message} ${summary}`, httpStatus: 200 };
  return { azure, ...(doubtful ? {} : { reason }) };
}

export interface ErrorBody extends CodedError {
  /** The errors inside it, outer ones first. */
  readonly inner: readonly CodedError[];
  /** What happened, for people: the innermost errors. Empty where there is no code. */
  readonly summary: string;
}

/**
 * @param json a reply's text; what is no error of ARM's has no code
 * @param redact for whatever the error says
 */
export function readErrorBody(json: unknown, redact = (text: string) => text): ErrorBody {
  const outer = body.safeParse(parseJson(json)).data?.error;
  if (outer === undefined) return { code: "", message: "", inner: [], summary: "" };
  const [{ code, message }, ...inside] = errorsIn(outer, redact, 0);
  const inner = inside.slice(0, maxErrors);
  const innermost = (inner.length === 0 ? [{ code, message }] : inner.filter(({ isInnermost }) => isInnermost))
    .filter((each) => each.code !== "")
    .map((each) => `${each.code}: ${each.message}`);
  return {
    code,
    message,
    inner: inner.map((each) => ({ code: each.code, message: each.message })),
    summary: [...new Set(innermost)].join(" "),
  };
}

interface NestedError extends CodedError {
  readonly isInnermost: boolean;
}

/** An error, and behind it those inside it. */
function errorsIn(
  { code, message, details, additionalInfo }: z.output<typeof error>,
  redact: (text: string) => string,
  depth: number,
): readonly [NestedError, ...NestedError[]] {
  const passedOn = message.startsWith("{") && message.length <= maxJson ? parseJson(message) : undefined;
  const inside = depth < maxDepth ? [passedOn, ...details].slice(0, maxErrors) : [];
  const inner = inside.flatMap((each): readonly NestedError[] => {
    const found = body.safeParse(each).data?.error ?? error.safeParse(each).data;
    return found === undefined || found.code === "" ? [] : errorsIn(found, redact, depth + 1);
  });
  const said = [message, ...policiesIn(additionalInfo)].filter((each) => each !== "").join(" ");
  return [{ code: redact(code), message: redact(said), isInnermost: inner.length === 0 }, ...inner];
}

/** By their names: their other values are those of the group, secrets among them. */
function policiesIn(additionalInfo: readonly unknown[]): readonly string[] {
  return additionalInfo.slice(0, maxErrors).flatMap((each) => {
    const { info } = violation.safeParse(each).data ?? {};
    const assignment = info?.policyAssignmentDisplayName || info?.policyAssignmentName;
    const policy = info?.policyDefinitionDisplayName || info?.policyDefinitionName;
    if (!policy) return [];
    return [`Policy: ${policy}${assignment && assignment !== policy ? `, assigned as ${assignment}` : ""}.`];
  });
}

/** No answer of ARM's own: a gateway's, a time-out's, or one without an error that can be read. */
export function isUnclear({ httpStatus, code }: AzureError): boolean {
  return [0, 408, 502, 504].includes(httpStatus) || (httpStatus >= 500 && code === "");
}

/** What does not exist is the resource itself, and not what it would be in. */
export function isNotFound({ httpStatus, code }: AzureError): boolean {
  return httpStatus === 404 && /^(?:Resource|Container)?NotFound$/i.test(code);
}

export function isTargetGone({ code }: AzureError): boolean {
  return /^(?:ResourceGroup|Subscription)NotFound$/i.test(code);
}
