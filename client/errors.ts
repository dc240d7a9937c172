/** What can go wrong between this command and the service. No message contains the key. */

/** No answer: nothing listens there, the name is unknown, the connection broke, it took too long. May pass. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** One fault of a definition, as the service or the offline check reports it; line and column count from 1. */
export interface LocatedFault {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** An answer that is a refusal, or that this version of the client does not understand. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** HTTP status. */
  readonly status: number;
  readonly errors: readonly LocatedFault[];
  /** What the service found odd besides: often the cause. */
  readonly warnings: readonly LocatedFault[];
  /** Milliseconds after which the service asks to be called again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    more: {
      errors?: readonly LocatedFault[] | undefined;
      warnings?: readonly LocatedFault[] | undefined;
      retryAfter?: number | undefined;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = more.errors ?? [];
    this.warnings = more.warnings ?? [];
    this.retryAfter = more.retryAfter;
  }
}

/** The command was used wrongly; the message says how to use it. */
export class Misuse extends Error {
  override readonly name = "Misuse";
}

/** True for what may pass when the same question is asked again. */
export function mayPass(error: unknown): error is Unreachable | Refused {
  if (error instanceof Unreachable) return true;
  return error instanceof Refused && (error.status === 429 || error.status >= 500);
}
