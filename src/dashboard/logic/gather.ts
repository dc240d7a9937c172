/** Pages of a list put together: a page may have few rows, or be empty, and others behind it. Pure but for the reader that it is given. */
interface Page<T> {
  readonly jobs: readonly T[];
  readonly continuation?: string | undefined;
}
type Read<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export interface Gathered<T> {
  readonly jobs: readonly T[];
  /** Older ones may be there that were not read. */
  readonly more: boolean;
}

/**
 * @param wanted rows after which no other page is read
 * @param pages that are read at most
 */
export async function gathered<T, E>(
  read: (after: string | undefined) => Promise<Read<Page<T>, E>>,
  wanted: number,
  pages: number,
): Promise<Read<Gathered<T>, E>> {
  const jobs: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < pages; page++) {
    const answer = await read(after);
    if (!answer.ok) return answer;
    jobs.push(...answer.value.jobs);
    after = answer.value.continuation;
    if (after === undefined || jobs.length >= wanted) break;
  }
  return { ok: true, value: { jobs: jobs.slice(0, wanted), more: after !== undefined || jobs.length > wanted } };
}
