import type { Fault, ProblemCode } from "./api.ts";

/** What can go wrong between a client and the service. No message contains the key. */
export abstract class AciProxyError extends Error {
  /**
   * What went wrong, for programs: the service's own code (docs/http.md), or `Unreachable`, `KeyRefused`, `NotAciProxy` (something else
   * answers at that address), `Refused` (a refusal without a code), `Misuse`.
   */
  abstract readonly code: ProblemCode;
}

/** No answer: nothing listens there, the name is unknown, the connection broke, it took too long. May pass. */
export class Unreachable extends AciProxyError {
  override readonly name = "Unreachable";
  override readonly code = "Unreachable";
}

/** An answer that is a refusal, or that this version of the client does not understand. */
export class Refused extends AciProxyError {
  override readonly name = "Refused";
  override readonly code: ProblemCode;
  /** HTTP status. */
  readonly status: number;
  /** Each with its place: line and column count from 1. */
  readonly errors: readonly Fault[];
  /** What the service found odd besides: often the cause. */
  readonly warnings: readonly Fault[];
  /** Milliseconds after which the service asks to be called again. */
  readonly retryAfter: number | undefined;
  /** Found in the service's logs. */
  readonly requestId: string | undefined;

  constructor(
    code: ProblemCode,
    status: number,
    message: string,
    more: {
      errors?: readonly Fault[] | undefined;
      warnings?: readonly Fault[] | undefined;
      retryAfter?: number | undefined;
      requestId?: string | undefined;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.errors = more.errors ?? [];
    this.warnings = more.warnings ?? [];
    this.retryAfter = more.retryAfter;
    this.requestId = more.requestId;
  }
}

/** The client was used wrongly; the message says how to use it. */
export class Misuse extends AciProxyError {
  override readonly name = "Misuse";
  override readonly code = "Misuse";
}

/** True for what may pass when the same question is asked again. */
export function mayPass(error: unknown): error is Unreachable | Refused {
  if (error instanceof Unreachable) return true;
  return error instanceof Refused && (error.status === 429 || error.status >= 500);
}
