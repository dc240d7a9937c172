/** The number of jobs polled at once, on one instance; a job takes some kilobytes. */
const maxRecent = 500;

/**
 * Jobs as they were last read for a reply. A row is read at each poll and has usually not changed since the last one: its ETag shows
 * that, and then neither its record is parsed nor its key searched again. The jobs that have not changed for the longest are dropped first.
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
