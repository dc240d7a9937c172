import { Unavailable } from "../base/errors.ts";

/**
 * What stops a work on many jobs. After an outage whoever recorded the work goes on with it later; a dry run, which is not recorded, and
 * a fault of the service fail the call. They are noted while calls run side by side, and thrown when all have ended.
 */
export class Interruption {
  readonly #isRecorded: boolean;
  #isOutage = false;
  #fault: { readonly error: unknown } | undefined;

  constructor({ dryRun }: { readonly dryRun: boolean }) {
    this.#isRecorded = !dryRun;
  }

  note(error: unknown): void {
    if (this.#isRecorded && error instanceof Unavailable) this.#isOutage = true;
    else this.#fault ??= { error };
  }

  /**
   * @returns whether an outage stopped the work
   * @throws what was noted besides
   */
  check(): boolean {
    if (this.#fault !== undefined) throw this.#fault.error;
    return this.#isOutage;
  }
}
