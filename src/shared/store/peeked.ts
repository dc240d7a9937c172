/** So many jobs are polled at once, on one instance; a job takes some kilobytes. */
const maxRecent = 500;

/**
 * Jobs as they were last read for a reply. A row is read at each poll, and has mostly not changed since the one before: its ETag says
 * so, and then its record need not be parsed again; nor need its key be found again. Those that have been the same for the longest make room.
 */
export class Peeked<Stored extends { readonly job: { readonly id: string } }> {
  readonly #jobs = new Map<string, Stored>();

  get(id: string): Stored | undefined {
    return this.#jobs.get(id);
  }

  set(stored: Stored): void {
    const { id } = stored.job;
    this.#jobs.delete(id);
    this.#jobs.set(id, stored);
    if (this.#jobs.size > maxRecent) for (const oldest of this.#jobs.keys()) return void this.#jobs.delete(oldest);
  }
}
