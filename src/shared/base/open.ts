import { z } from "zod";

/**
 * Reading what another release wrote. A rollback needs no drain, so a release keeps whatever the next one may have written and it does
 * not know: words and members are kept as they are, and written back with the rest.
 */
const newerWord = z.string().min(1).max(200).brand<"NewerWord">();

/** A word that only a newer release knows. It is shown and saved, and differs from every word of this release. */
type NewerWord = z.infer<typeof newerWord>;
/** One of our words, or one that only a newer release knows. */
export type OpenWord<W extends string> = W | NewerWord;

/** Reads one of these words; any other text is kept as a {@link NewerWord}. */
export function openWord<const W extends readonly string[]>(words: W) {
  return z.union([z.enum(words), newerWord]);
}

/** Reads what `isKnown` says is ours; any other text is kept as a {@link NewerWord}. */
export function openWordOf<W extends string>(isKnown: (text: string) => text is W) {
  return z.union([z.custom<W>((value) => typeof value === "string" && isKnown(value)), newerWord]);
}

/** An object whose further members, unknown to the type, are kept: a copy made by spreading has them too. */
export function openObject<S extends z.ZodRawShape>(shape: S): z.ZodObject<S> {
  return z.looseObject(shape);
}
