import { inspect } from "node:util";
import type { JobId } from "./ids.ts";

/** One fault with its place in the caller's text; line and column count from 1. The message never quotes the text. */
export interface LocatedFault {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A member's name as a fault or warning may show it: short, and of no more than a name's letters; anything else might be a secret. */
export function shownName(name: string, otherwise: string): string {
  return /^[\w-]{1,40}$/.test(name) ? name : otherwise;
}

/** A path as a sentence may show it: names that read like names, and not too many; empty for anything else. */
export function shownPath(path: string): string {
  return /^[\w.[\]/?-]{1,150}$/.test(path) ? path : "";
}

/** The code of a refused call: each code has one HTTP status. */
export const statusOf = {
  InvalidDefinition: 400,
  InvalidOptions: 400,
  InvalidRequest: 400,
  InvalidParameters: 400,
  NeverEnds: 400,
  PolicyRefused: 400,
  Forbidden: 403,
  JobNotFound: 404,
  TemplateNotFound: 404,
  DefinitionNotFound: 404,
  MessageNotFound: 404,
  NameActive: 409,
  AmbiguousName: 409,
  GroupFull: 409,
  JobEnded: 409,
  CannotRerun: 409,
  DefinitionGone: 409,
  BodyTooSlow: 408,
  VersionChanged: 412,
  BodyTooLarge: 413,
  ResultExists: 409,
  ResultTooLate: 409,
  KeyReused: 422,
  TooManyJobs: 429,
  InternalError: 500,
  StorageUnavailable: 503,
  InvalidSettings: 503,
  SealKeyUnavailable: 503,
  JobUnreadable: 503,
  IndexLost: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof statusOf;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(statusOf, text);
}

/** A refusal as a value. `message` says what is wrong and how to fix it, in at most 300 characters. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly errors?: readonly LocatedFault[];
  /** What is odd besides: often the cause. */
  readonly warnings?: readonly LocatedFault[];
  /** Milliseconds after which the same call may do better. */
  readonly retryAfter?: number;
  /** Further members of the reply: the ids of a 409, say. */
  readonly more?: Readonly<Record<string, string | number | readonly string[]>>;
}

/** No job can be accepted, and a poster's own id or a name finds nothing, until an operator has the index rebuilt. */
export const indexLost = {
  code: "IndexLost",
  message: "The job index is lost: an operator must rebuild it with aci-proxy reindex. Jobs that run go on.",
  retryAfter: 60_000,
} as const satisfies Refusal;

/** Of a posted job whose definition could not be sealed yet. */
export const definitionAwaited = {
  code: "SealKeyUnavailable",
  message: "The job's definition can't be sealed now: until then its message alone has it. Ask again.",
  retryAfter: 30_000,
} as const satisfies Refusal;

/** A value, or the reason why there is no value. */
export type Result<T, E = Refusal> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });

/** A service that we need could not be reached, or said nothing that decides: try again. Never the verdict on a job. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly service: "storage" | "index" | "arm" | "vault" | "seal key" | "identity";
  /** Milliseconds to wait, when the service said so. */
  readonly retryAfter: number | undefined;

  constructor(
    service: Unavailable["service"],
    message: string,
    options: { cause?: unknown; retryAfter?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.service = service;
    this.retryAfter = options.retryAfter;
  }
}

/** The row of a job that can't be read. It concerns that job alone: whoever works on many skips it, and says so. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly id: JobId;
  readonly why: string;

  constructor(id: JobId, why: string) {
    super(`The row of job ${id} can't be read: ${why}`);
    this.id = id;
    this.why = why;
  }
}

/** Text that must not be read: it prints, logs and serialises as `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Opened only where the text leaves for the service that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [inspect.custom](): string {
    return "***";
  }
}

/** What was caught, as a sentence without a stack. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** Cut to what fits, on a character boundary, with an ellipsis. */
export function clip(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join("")}…`;
}
