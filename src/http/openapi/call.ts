import type { z } from "zod";
import type { Parameters } from "../lib/query.ts";
import type { ReplyName } from "./replies.ts";

/** Every call: what it takes and what it answers. */
export interface Call {
  readonly method: "get" | "post" | "put" | "delete";
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** `open` needs no key. */
  readonly guard: "key" | "open";
  readonly parameters: Described;
  readonly headers?: Described;
  /** The definition, a template, or a JSON object. */
  readonly body?: "definition" | "template" | z.ZodType;
  readonly replies: Readonly<Record<string, Answer>>;
}

/** A parameter as the description shows it. */
export type Described = Readonly<Record<string, { readonly schema: object; readonly text: string }>>;

/** What a status stands for. */
export interface Answer {
  readonly text: string;
  /** JSON, one of these. */
  readonly json: readonly ReplyName[];
  /** Other content types, each a text. */
  readonly others?: readonly string[];
  readonly headers?: readonly (keyof typeof headers)[];
}

export const headers = {
  Location: "Where to poll, absolute, without a key in it.",
  "Retry-After": "Seconds to wait before.",
  ETag: "The version, for If-Match.",
  Age: "Seconds since the jobs were read.",
  "x-continuation": "Where the next page begins, for formats that have no place for it.",
} as const;

export const answer = (text: string, ...json: ReplyName[]): Answer => ({ text, json });
export const problem = (text: string): Answer => answer(text, "Problem");
export const poll = ["Location", "Retry-After"] as const;

export const unavailable = {
  "503": {
    ...problem("Storage can't be reached, or the settings are wrong; `Retry-After` says when to come back."),
    headers: ["Retry-After"],
  },
} as const;
const wrong = { "400": problem("A parameter or a member of the body is wrong; each with its name.") };
export const unknown = { "404": problem("Not known.") };
const tooLarge = { "413": problem("The body is too large.") };
export const slow = { "408": problem("The body did not arrive whole within 30 seconds.") };
export const broken = { "500": problem("A fault of the service.") };
/** What every call may answer. */
const always = { ...wrong, ...broken, ...unavailable };
/** What a call answers to whoever its door does not let in. */
export const closed: Call["replies"] = {
  "401": answer("No key or token, or a wrong one; without a body."),
  "403": problem("With `AUTH_MODE=entra`, a token that may not do this."),
};

export const get = (
  path: string,
  id: string,
  summary: string,
  parameters: Parameters,
  replies: Call["replies"],
  guard: Call["guard"] = "key",
): Call => ({ method: "get", path, id, summary, guard, parameters, replies: { ...always, ...replies } });

export const post = (
  path: string,
  id: string,
  summary: string,
  body: z.ZodType | undefined,
  replies: Call["replies"],
  parameters: Parameters = {},
): Call => ({
  method: "post",
  path,
  id,
  summary,
  guard: "key",
  parameters,
  ...(body === undefined ? {} : { body }),
  replies: { ...always, ...(body === undefined ? {} : { ...slow, ...tooLarge }), ...replies },
});
