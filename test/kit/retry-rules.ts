import { readRetryOn, type RetryRule } from "../../src/shared/job/option-readers.ts";

/** The option `retryOn` as a query writes it. */
export function retryOnRules(text: string | null): readonly RetryRule[] {
  if (text === null) return [];
  const read = readRetryOn(text);
  if (!read.ok) throw new Error(read.error);
  return read.value;
}
