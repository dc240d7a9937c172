import { z } from "zod";

/**
 * An event subscription's filter, evaluated as Event Grid does ("Understand event filtering for Event Grid subscriptions"): all its
 * parts must hold; a subject is compared without regard to case unless the filter says otherwise, and the string operators of
 * advanced filters always are.
 */
export const filterShape = z.strictObject({
  isSubjectCaseSensitive: z.boolean().default(false),
  subjectBeginsWith: z.string().default(""),
  subjectEndsWith: z.string().default(""),
  includedEventTypes: z.array(z.string()),
  advancedFilters: z
    .array(
      z.strictObject({ operatorType: z.literal("StringIn"), key: z.string(), values: z.array(z.string()).max(25) }),
    )
    .max(25)
    .default([]),
});
export type EventFilter = z.infer<typeof filterShape>;

export interface FilteredEvent {
  readonly subject: string;
  readonly eventType: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function passes(filter: EventFilter, event: FilteredEvent): boolean {
  const fold = (text: string): string => (filter.isSubjectCaseSensitive ? text : text.toLowerCase());
  return (
    fold(event.subject).startsWith(fold(filter.subjectBeginsWith)) &&
    fold(event.subject).endsWith(fold(filter.subjectEndsWith)) &&
    filter.includedEventTypes.includes(event.eventType) &&
    filter.advancedFilters.every(({ key, values }) => {
      const value = valueAt(event, key);
      return typeof value === "string" && values.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
    })
  );
}

function valueAt(event: FilteredEvent, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>(
      (value, part) =>
        typeof value === "object" && value !== null
          ? Object.entries(value).find(([name]) => name === part)?.[1]
          : undefined,
      event,
    );
}
